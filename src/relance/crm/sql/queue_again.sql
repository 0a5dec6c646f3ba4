-- queue_again.sql: values that were to go and for which nothing waits: their field had vanished when they were about to be sent, and the
-- description of their object has changed since.
INSERT INTO crm_push (connection_id, subject, subject_id, object, state, queued_at, due_at)
SELECT DISTINCT link.connection_id, dirty.subject, dirty.subject_id, link.object, 'waiting', %(now)s::timestamptz, %(now)s::timestamptz
  FROM crm_link AS link
  JOIN crm_dirty AS dirty
    ON dirty.connection_id = link.connection_id
   AND dirty.subject = CASE WHEN link.person_id IS NULL THEN 'company' ELSE 'person' END
   AND dirty.subject_id = coalesce(link.person_id, link.company_id) AND dirty.code = ANY(%(sent)s)
 WHERE link.connection_id = %(connection)s AND link.object = ANY(%(objects)s)
   AND link.role = 'leading' AND link.deleted_at IS NULL
    ON CONFLICT (connection_id, subject, subject_id) DO NOTHING
