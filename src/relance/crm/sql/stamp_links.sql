-- stamp_links.sql: every record just read, with its stamp and owner; those that lead are compared by now.
UPDATE crm_link AS link
   SET crm_modified_at = stage.modified_at,
       owner_crm_id = stage.owner_crm_id,
       agreed_at = CASE WHEN link.role = 'leading' THEN coalesce(link.agreed_at, %(now)s) ELSE link.agreed_at END
  FROM crm_stage AS stage
 WHERE link.connection_id = %(connection)s AND link.crm_id = stage.crm_id AND link.deleted_at IS NULL
   AND NOT stage.is_deleted AND NOT stage.is_converted
   AND (link.crm_modified_at IS NULL OR link.crm_modified_at < stage.modified_at)
