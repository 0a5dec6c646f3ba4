-- follow_deletions.sql: records deleted in the CRM (not by a merge) end their link; records that came back open it again,
-- as the leading one only where no other has taken the lead meanwhile.
WITH touched AS MATERIALIZED (
    SELECT link.id, link.deleted_at IS NULL AS is_open, link.merged_into, stage.is_deleted,
           stage.merged_into AS lost_to, stage.modified_at
      FROM crm_stage AS stage
     CROSS JOIN LATERAL (
           SELECT held.* FROM crm_link AS held
            WHERE held.connection_id = %(connection)s AND held.crm_id = stage.crm_id
            LIMIT 1
           ) AS link
     WHERE stage.is_deleted = (link.deleted_at IS NULL)
), gone AS (
    UPDATE crm_link AS link
       SET deleted_at = coalesce(touched.modified_at, %(now)s), crm_modified_at = touched.modified_at
      FROM touched
     WHERE link.id = touched.id AND touched.is_open AND touched.lost_to = ''
    RETURNING link.id, link.@subject@_id AS subject_id, link.crm_id, link.crm_modified_at
), back AS (
    UPDATE crm_link AS link
       SET deleted_at = NULL, crm_modified_at = NULL, agreed_at = NULL,
           role = CASE WHEN EXISTS (
               SELECT FROM crm_link AS other
                WHERE other.connection_id = link.connection_id AND other.@subject@_id = link.@subject@_id
                  AND other.role = 'leading' AND other.deleted_at IS NULL AND other.id <> link.id
           ) THEN 'second' ELSE link.role END
      FROM touched
     WHERE link.id = touched.id AND NOT touched.is_open AND touched.merged_into = ''
    RETURNING link.id, link.@subject@_id AS subject_id, link.crm_id
)
INSERT INTO crm_event (subject_id, link_id, code, verdict, kind, crm_id)
SELECT subject_id, id, CASE WHEN crm_modified_at IS NULL THEN 'crm.gone_from_crm' ELSE 'crm.deleted_in_crm' END, 'skip', 'crm.deleted',
       crm_id
  FROM gone
UNION ALL
SELECT subject_id, id, 'crm.restored_in_crm', 'go', 'crm.linked', crm_id FROM back
