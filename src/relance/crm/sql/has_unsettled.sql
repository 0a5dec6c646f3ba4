-- has_unsettled.sql: one row if a change of ours waits to be decided, none otherwise.
SELECT 1 AS one
  FROM crm_dirty
 WHERE connection_id = %(connection)s AND subject = %(subject)s AND code IS NULL
 LIMIT 1
