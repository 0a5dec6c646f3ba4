-- append_activities.sql: writes a batch of activities and, for each consumer that asked for the kind, a due row. Ids in the order given.
WITH line AS (
    SELECT told.*
      FROM ROWS FROM (
           jsonb_to_recordset(%(lines)s::jsonb)
           AS (kind text, actor text, person_id bigint, company_id bigint, decision_id bigint, payload jsonb, consumers jsonb)
           ) WITH ORDINALITY AS told (kind, actor, person_id, company_id, decision_id, payload, consumers, place)
), numbered AS (
    SELECT time_id(clock_timestamp(), nextval('activity_seq')) AS id, line.* FROM (SELECT * FROM line ORDER BY place) AS line
), written AS (
    INSERT INTO activity (id, at, kind, person_id, company_id, actor, decision_id, payload)
    SELECT id, %(now)s, kind, person_id, company_id, actor, decision_id, payload FROM numbered
), due AS (
    INSERT INTO activity_due (consumer, activity_id)
    SELECT consumer, id FROM numbered, jsonb_array_elements_text(numbered.consumers) AS consumer
)
SELECT id FROM numbered ORDER BY place
