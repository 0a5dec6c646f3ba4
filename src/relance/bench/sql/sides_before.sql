-- sides_before.sql: a sample of those about to be merged: our values, the CRM's, and what is noted as changed; all as text.
SELECT record.id, record.at, held.fields AS local, over_there.fields AS crm, coalesce(noted.fields, '{}') AS noted
  FROM (SELECT * FROM bench_record ORDER BY hashint8(id), id LIMIT %(sample)s) AS record
  JOIN person ON person.id = record.id
 CROSS JOIN LATERAL (
       SELECT jsonb_object_agg(key, value) AS fields
         FROM jsonb_each_text(to_jsonb(person)) WHERE to_jsonb(record) ? key AND key NOT IN ('id', 'at')
       ) AS held
 CROSS JOIN LATERAL (
       SELECT jsonb_object_agg(key, value) AS fields FROM jsonb_each_text(to_jsonb(record)) WHERE key NOT IN ('id', 'at')
       ) AS over_there
  LEFT JOIN LATERAL (
       SELECT jsonb_object_agg(dirty.field_key, jsonb_build_object('base', dirty.base, 'changed_at', dirty.changed_at)) AS fields
         FROM crm_dirty AS dirty
        WHERE dirty.subject = 'person' AND dirty.subject_id = record.id
       ) AS noted ON true
