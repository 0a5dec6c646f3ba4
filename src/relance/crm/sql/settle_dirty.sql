-- settle_dirty.sql: what both sides agree on by now leaves the dirty set; what differs stays in it with what the CRM is known to hold
-- and the reason. A value of the CRM that cannot be read is no base for anything.
--
-- Each line finds its row by the key: without statistics of a young table the planner would scan every line for every row.
WITH agreed AS (
    DELETE FROM crm_dirty
     WHERE ctid = ANY(ARRAY(
           SELECT noted.place
             FROM crm_line AS line
            CROSS JOIN LATERAL (
                  SELECT dirty.ctid AS place
                    FROM crm_dirty AS dirty
                   WHERE dirty.connection_id = %(connection)s AND dirty.subject = %(subject)s
                     AND dirty.subject_id = line.subject_id AND dirty.field_key = line.field
                   LIMIT 1
                  ) AS noted
            WHERE line.was_dirty AND (line.code = 0 OR line.code = ANY(%(applied)s))
           ))
)
INSERT INTO crm_dirty (connection_id, subject, subject_id, field_key, base, changed_at, actor, code)
SELECT %(connection)s, %(subject)s, line.subject_id, line.field, line.crm, to_timestamp(0), '', line.code
  FROM crm_line AS line
 WHERE line.code <> 0 AND NOT line.code = ANY(%(applied)s) AND line.code <> %(unreadable)s
 ORDER BY line.subject_id, line.field
    ON CONFLICT (connection_id, subject, subject_id, field_key)
    DO UPDATE SET base = EXCLUDED.base, code = EXCLUDED.code
