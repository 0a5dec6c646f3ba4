-- follow_merges.sql: records that lost a merge in the CRM. Their link moves to the winner when nobody is linked to it yet; else it ends.
-- One link per winner can move; the stamp is forgotten, so that the winner's values are compared anew.
WITH lost AS (
    SELECT link.id, link.@subject@_id AS subject_id, link.crm_id, stage.merged_into, winner.id IS NULL
           AND row_number() OVER (PARTITION BY stage.merged_into ORDER BY link.linked_at, link.id) = 1 AS moves
      FROM crm_stage AS stage
      JOIN crm_link AS link
        ON link.connection_id = %(connection)s AND link.crm_id = stage.crm_id AND link.deleted_at IS NULL
      LEFT JOIN crm_link AS winner ON winner.connection_id = %(connection)s AND winner.crm_id = stage.merged_into
     WHERE stage.is_deleted AND stage.merged_into <> ''
), followed AS (
    UPDATE crm_link AS link
       SET crm_id = CASE WHEN lost.moves THEN lost.merged_into ELSE link.crm_id END,
           merged_into = CASE WHEN lost.moves THEN '' ELSE lost.merged_into END,
           deleted_at = CASE WHEN lost.moves THEN NULL ELSE %(now)s END,
           agreed_at = CASE WHEN lost.moves THEN NULL ELSE link.agreed_at END,
           crm_modified_at = CASE WHEN lost.moves THEN NULL ELSE link.crm_modified_at END
      FROM lost
     WHERE link.id = lost.id
)
INSERT INTO crm_event (subject_id, link_id, code, verdict, kind, crm_id)
SELECT subject_id, id, 'crm.merged_in_crm', 'go', 'crm.merged', merged_into FROM lost
