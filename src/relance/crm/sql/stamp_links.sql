-- stamp_links.sql: every record just read, with its stamp and owner; those that lead are compared by now.
UPDATE crm_link AS link
   SET crm_modified_at = read.modified_at,
       owner_crm_id = read.owner_crm_id,
       agreed_at = CASE WHEN link.role = 'leading' THEN coalesce(link.agreed_at, %(now)s) ELSE link.agreed_at END
  FROM (
       SELECT held.id, stage.modified_at, stage.owner_crm_id
         FROM crm_stage AS stage
        CROSS JOIN LATERAL (
              SELECT known.* FROM crm_link AS known
               WHERE known.connection_id = %(connection)s AND known.crm_id = stage.crm_id
               LIMIT 1
              ) AS held
        WHERE held.deleted_at IS NULL AND NOT stage.is_deleted AND NOT stage.is_converted
          AND (held.crm_modified_at IS NULL OR held.crm_modified_at < stage.modified_at)
       ) AS read
 WHERE link.id = read.id
