-- page_unmapped_owners.sql: active users of the CRM who own records and have no user here, with how many people they own.
SELECT owner.crm_id, owner.name, owner.email, count(*) AS people
  FROM crm_user AS owner
  JOIN crm_link AS link
    ON link.connection_id = owner.connection_id AND link.owner_crm_id = owner.crm_id AND link.person_id IS NOT NULL
   AND link.role = 'leading' AND link.deleted_at IS NULL
 WHERE owner.connection_id = ANY(%(connections)s) AND owner.user_id IS NULL AND owner.is_active
 GROUP BY owner.crm_id, owner.name, owner.email
 ORDER BY people DESC, owner.name
