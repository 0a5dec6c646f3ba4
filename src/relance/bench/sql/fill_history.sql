-- fill_history.sql: what happened to people in the last four weeks: each was once updated from the CRM, with the decision that says why.
WITH told AS MATERIALIZED (
    SELECT person.id AS person_id, moment.at, time_id(moment.at, person.id) AS id
      FROM person
     CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - mod(person.id * 7919, 2419200) * interval '1 second' AS at) AS moment
), decided AS (
    INSERT INTO decision (id, at, subject, subject_id, person_id, verdict, policy, codes, fields, before, after)
    SELECT id, at, 'sync', person_id, person_id, 0, 'mapping:1@1', ARRAY[3001]::smallint[], ARRAY['phone'], ARRAY['+33 1 00'], ARRAY['+33 2 00']
      FROM told
)
INSERT INTO activity (id, at, kind, person_id, actor, decision_id, payload)
SELECT id, at, 'crm.updated', person_id, 'connection:1', id,
       jsonb_build_object('crm', 'Salesforce', 'object', 'Lead', 'fields', jsonb_build_array('phone'))
  FROM told
