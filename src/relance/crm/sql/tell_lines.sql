-- tell_lines.sql: writes the ledger and the timeline of a merge: one decision a subject with its codes and values, an activity for each
-- value that was put back, one for all that came from the CRM, one for whoever is new. Only news: what was settled before and has
-- not moved is not told again.
WITH news AS (
    SELECT line.subject_id, array_agg(line.code ORDER BY line.field) AS codes,
           array_agg(line.field ORDER BY line.field) AS fields,
           array_agg(CASE WHEN line.code = ANY(%(sent)s) THEN line.crm ELSE line.local END ORDER BY line.field) AS before,
           array_agg(
               CASE WHEN line.code = ANY(%(sent)s) THEN line.local
                    WHEN line.code = ANY(%(kept)s) THEN coalesce(line.crm, line.local)
                    ELSE line.crm END ORDER BY line.field
           ) AS after,
           max(CASE WHEN line.code = ANY(%(waits)s) THEN 1 WHEN line.code = ANY(%(skips)s) THEN 2 ELSE 0 END) AS verdict
      FROM crm_line AS line
     WHERE line.is_news
     GROUP BY line.subject_id
), written AS (
    INSERT INTO decision (at, subject, subject_id, person_id, verdict, run_id, codes, fields, before, after)
    SELECT %(now)s, CASE WHEN %(is_person)s THEN 'sync' ELSE 'company_sync' END, subject_id,
           CASE WHEN %(is_person)s THEN subject_id END, verdict, %(run)s, codes, fields, before, after
      FROM news
    RETURNING id, subject_id
), happened AS (
    SELECT 'crm.value_reverted' AS kind, line.subject_id, jsonb_build_object(
               'field', line.field, 'code', line.code,
               'side', CASE WHEN line.code = ANY(%(sent)s) THEN 'crm' ELSE 'relance' END,
               'before', CASE WHEN line.code = ANY(%(sent)s) THEN line.crm ELSE line.local END,
               'after', CASE WHEN line.code = ANY(%(sent)s) THEN line.local ELSE line.crm END
           ) AS facts
      FROM crm_line AS line
     WHERE line.is_news AND line.code = ANY(%(reverted)s)
    UNION ALL
    SELECT 'crm.updated', line.subject_id, jsonb_build_object('fields', jsonb_agg(line.field ORDER BY line.field))
      FROM crm_line AS line
     WHERE line.is_news AND line.code = ANY(%(applied)s) AND NOT line.code = ANY(%(reverted)s)
       AND NOT EXISTS (SELECT FROM crm_fresh AS fresh WHERE fresh.subject_id = line.subject_id AND fresh.is_new)
     GROUP BY line.subject_id
    UNION ALL
    SELECT 'crm.created', fresh.subject_id, jsonb_build_object('crm_id', fresh.crm_id)
      FROM crm_fresh AS fresh
     WHERE fresh.is_new
), told AS (
    INSERT INTO activity (at, kind, person_id, company_id, actor, decision_id, payload)
    SELECT %(now)s, happened.kind, CASE WHEN %(is_person)s THEN happened.subject_id END,
           CASE WHEN NOT %(is_person)s THEN happened.subject_id END, %(actor)s, written.id,
           happened.facts || jsonb_build_object('crm', %(crm)s, 'object', %(object)s)
      FROM happened
      LEFT JOIN written ON written.subject_id = happened.subject_id
    RETURNING id, kind
), due AS (
    INSERT INTO activity_due (consumer, activity_id)
    SELECT consumer, told.id
      FROM told, jsonb_array_elements_text(coalesce(%(consumers)s::jsonb -> told.kind, '[]')) AS consumer
)
SELECT (SELECT count(*) FROM written) AS decisions, (SELECT count(*) FROM told) AS activities
