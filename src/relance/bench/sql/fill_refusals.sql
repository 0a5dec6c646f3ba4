-- fill_refusals.sql: one person in %(one_in)s whose values the CRM refused, for one of five causes.
WITH refused AS (
    SELECT person.id, cause.number, cause.code, cause.message
      FROM person
     CROSS JOIN LATERAL (
           SELECT mod(person.id / %(one_in)s, 5) AS number,
                  (ARRAY['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'REQUIRED_FIELD_MISSING', 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
                         'STRING_TOO_LONG', 'DUPLICATES_DETECTED'])[1 + mod(person.id / %(one_in)s, 5)] AS code,
                  'Refused for cause ' || mod(person.id / %(one_in)s, 5) AS message
           ) AS cause
     WHERE mod(person.id, %(one_in)s) = 0
), queued AS (
    INSERT INTO crm_push (connection_id, subject, subject_id, object, state, queued_at, due_at, reason)
    SELECT %(connection)s, 'person', id, 'Lead', 'refused', %(now)s, %(now)s, 'crm.refused' FROM refused
        ON CONFLICT (connection_id, subject, subject_id) DO UPDATE SET state = 'refused'
)
INSERT INTO crm_push_error (connection_id, subject, subject_id, object, code, message, fields, body, cause_key, payload_hash, first_at,
                            last_at, times)
SELECT %(connection)s, 'person', id, 'Lead', code, message, ARRAY['Status'], jsonb_build_object('errors', jsonb_build_array(message)),
       md5(number::text), '', %(now)s, %(now)s, 1
  FROM refused
