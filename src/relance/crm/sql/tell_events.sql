-- tell_events.sql: writes what befell records (linked, merged, deleted, converted) to the ledger and to the timeline, then empties the
-- list. One decision and one activity an event.
WITH event AS (
    DELETE FROM crm_event RETURNING *
), seen AS (
    SELECT event.*, jsonb_build_object(
               'object', coalesce(event.object, %(object)s), 'crm_id', event.crm_id, 'crm', %(crm)s
           ) AS facts
      FROM event
     WHERE event.subject_id IS NOT NULL
), written AS (
    INSERT INTO decision (at, subject, subject_id, person_id, verdict, run_id, reasons)
    SELECT %(now)s, 'link', link_id, CASE WHEN %(is_person)s THEN subject_id END, CASE verdict WHEN 'skip' THEN 2 ELSE 0 END,
           %(run)s,
           jsonb_build_array(jsonb_build_object('code', code, 'verdict', verdict, 'seen', facts))
      FROM seen
    RETURNING id, subject_id AS link_id
), told AS (
    INSERT INTO activity (at, kind, person_id, company_id, actor, decision_id, payload)
    SELECT %(now)s, seen.kind, CASE WHEN %(is_person)s THEN seen.subject_id END,
           CASE WHEN NOT %(is_person)s THEN seen.subject_id END, %(actor)s, written.id, seen.facts
      FROM seen
      LEFT JOIN LATERAL (
           SELECT max(id) AS id FROM written WHERE written.link_id = seen.link_id
      ) AS written ON true
    RETURNING id, kind
), due AS (
    INSERT INTO activity_due (consumer, activity_id)
    SELECT consumer, told.id
      FROM told, jsonb_array_elements_text(coalesce(%(consumers)s::jsonb -> told.kind, '[]')) AS consumer
)
SELECT code, count(*) AS times FROM seen GROUP BY code
