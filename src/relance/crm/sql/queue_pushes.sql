-- queue_pushes.sql: queues whoever has values to send. One that was refused may try again: something about it has just moved. One whose
-- last answer was lost keeps that state: it is looked for first.
INSERT INTO crm_push (connection_id, subject, subject_id, object, state, queued_at, due_at)
SELECT DISTINCT %(connection)s, %(subject)s, line.subject_id, %(object)s, 'waiting', %(now)s::timestamptz, %(now)s::timestamptz
  FROM crm_line AS line
 WHERE line.code = ANY(%(sent)s)
 ORDER BY line.subject_id
    ON CONFLICT (connection_id, subject, subject_id) DO UPDATE
       SET object = EXCLUDED.object,
           state = CASE WHEN crm_push.state = 'unknown' THEN 'unknown' ELSE 'waiting' END,
           due_at = least(crm_push.due_at, EXCLUDED.due_at)
 WHERE crm_push.state <> 'waiting' OR crm_push.object <> EXCLUDED.object
