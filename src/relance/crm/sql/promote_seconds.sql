-- promote_seconds.sql: where the leading record was deleted and another of the same person is left, the oldest of those leads from now on; its
-- values are read and compared afresh.
WITH heir AS (
    SELECT DISTINCT ON (other.@subject@_id) other.id, other.@subject@_id AS subject_id, other.crm_id, other.object
      FROM crm_event AS event
      JOIN crm_link AS other
        ON other.connection_id = %(connection)s AND other.@subject@_id = event.subject_id
       AND other.role = 'second' AND other.deleted_at IS NULL AND other.converted_to = ''
     WHERE event.code IN ('crm.deleted_in_crm', 'crm.gone_from_crm')
       AND NOT EXISTS (
           SELECT FROM crm_link AS leader
            WHERE leader.connection_id = %(connection)s AND leader.@subject@_id = event.subject_id
              AND leader.role = 'leading' AND leader.deleted_at IS NULL
           )
     ORDER BY other.@subject@_id, other.linked_at, other.id
), promoted AS (
    UPDATE crm_link AS link
       SET role = 'leading', agreed_at = NULL, crm_modified_at = NULL
      FROM heir
     WHERE link.id = heir.id
)
INSERT INTO crm_event (subject_id, link_id, code, verdict, kind, crm_id, object)
SELECT subject_id, id, 'crm.record_promoted', 'go', 'crm.linked', crm_id, object FROM heir
