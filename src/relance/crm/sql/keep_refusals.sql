-- keep_refusals.sql: what the CRM refused, word for word. The same cause about the same subject is one row that counts; other causes of
-- the same subject that did not come back are over.
WITH told AS (
    SELECT * FROM jsonb_to_recordset(%(errors)s::jsonb) AS told (
           subject text, subject_id bigint, object text, code text, message text, fields jsonb, body jsonb,
           cause_key text, payload_hash text)
), over AS (
    UPDATE crm_push_error AS error
       SET resolved_at = %(now)s
      FROM (SELECT subject, subject_id, array_agg(cause_key) AS causes FROM told GROUP BY subject, subject_id) AS again
     WHERE error.connection_id = %(connection)s AND error.resolved_at IS NULL AND error.subject = again.subject
       AND error.subject_id = again.subject_id AND error.cause_key <> ALL(again.causes)
)
INSERT INTO crm_push_error
       (connection_id, subject, subject_id, object, code, message, fields, body, cause_key, payload_hash, first_at, last_at, times)
SELECT DISTINCT ON (subject, subject_id, cause_key)
       %(connection)s, subject, subject_id, object, left(code, 80), message,
       ARRAY(SELECT jsonb_array_elements_text(told.fields)), body, cause_key, payload_hash, %(now)s, %(now)s, 1
  FROM told
    ON CONFLICT (connection_id, subject, subject_id, cause_key) WHERE resolved_at IS NULL
    DO UPDATE SET last_at = EXCLUDED.last_at, times = crm_push_error.times + 1, message = EXCLUDED.message,
                  body = EXCLUDED.body, payload_hash = EXCLUDED.payload_hash
