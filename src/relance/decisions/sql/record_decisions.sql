-- record_decisions.sql: writes a batch of single decisions to the ledger and returns their ids in the order given.
INSERT INTO decision (at, subject, subject_id, person_id, verdict, policy, run_id, reasons)
SELECT %(now)s, line.subject, line.subject_id, line.person_id, line.verdict, %(policy)s, %(run_id)s, line.reasons
  FROM ROWS FROM (
       jsonb_to_recordset(%(lines)s::jsonb)
       AS (subject text, subject_id bigint, person_id bigint, verdict smallint, reasons jsonb)
       ) WITH ORDINALITY AS line (subject, subject_id, person_id, verdict, reasons, place)
 ORDER BY line.place
RETURNING id
