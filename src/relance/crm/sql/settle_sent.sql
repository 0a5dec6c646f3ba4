-- settle_sent.sql: after the CRM took values. What we still hold leaves the dirty set; what changed here meanwhile stays in it, with what
-- was sent as its base, to be decided anew.
WITH told AS (
    SELECT * FROM jsonb_to_recordset(%(fields)s::jsonb)
        AS told (subject_id bigint, field_key text, base text, is_agreed boolean)
), agreed AS (
    DELETE FROM crm_dirty AS dirty
     USING told
     WHERE dirty.connection_id = %(connection)s AND dirty.subject = %(subject)s AND told.is_agreed
       AND dirty.subject_id = told.subject_id AND dirty.field_key = told.field_key
)
INSERT INTO crm_dirty (connection_id, subject, subject_id, field_key, base, changed_at, actor)
SELECT %(connection)s, %(subject)s, subject_id, field_key, base, %(now)s, '' FROM told WHERE NOT is_agreed
    ON CONFLICT (connection_id, subject, subject_id, field_key) DO UPDATE SET base = EXCLUDED.base, code = NULL
