-- claim_pushes.sql: takes a batch of those due to be sent, away from anybody else. A row whose last answer was lost stays marked so until
-- it was looked for: should we die now, the next worker must look as well.
WITH due AS (
    SELECT push.id, push.state
      FROM crm_push AS push
     WHERE push.connection_id = %(connection)s AND push.state IN ('waiting', 'unknown') AND push.due_at <= %(now)s
       AND push.priority >= %(least)s
     ORDER BY push.priority DESC, push.due_at, push.id
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
)
UPDATE crm_push AS push
   SET state = CASE WHEN due.state = 'unknown' THEN 'unknown' ELSE 'sent' END, attempts = push.attempts + 1
  FROM due
 WHERE push.id = due.id
RETURNING push.id, push.subject, push.subject_id, push.object, due.state, push.attempts, push.reason, push.payload_hash,
          push.failure, push.failures
