-- values_after.sql: what some people hold after a merge, as text, and whether they are queued to be sent.
SELECT person.id, held.fields AS held, EXISTS (
           SELECT FROM crm_push AS push WHERE push.subject = 'person' AND push.subject_id = person.id
       ) AS is_queued
  FROM person
  JOIN bench_record AS record ON record.id = person.id
 CROSS JOIN LATERAL (
       SELECT jsonb_object_agg(key, value) AS fields
         FROM jsonb_each_text(to_jsonb(person)) WHERE to_jsonb(record) ? key AND key NOT IN ('id', 'at')
       ) AS held
 WHERE person.id = ANY(%(ids)s)
