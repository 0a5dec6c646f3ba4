-- page_figures.sql: what the pages say of some connections together, one row: what waits and since when, what is refused and for how
-- many causes, how far the reads are. A person with two refusals counts once. Who is linked is not counted here: that may be millions.
WITH refusal AS (
    SELECT subject, subject_id, cause_key
      FROM crm_push_error
     WHERE connection_id = ANY(%(connections)s) AND resolved_at IS NULL
), queue AS (
    SELECT count(*) AS waiting, min(queued_at) AS waiting_since
      FROM crm_push
     WHERE connection_id = ANY(%(connections)s) AND state IN ('waiting', 'unknown')
), reading AS (
    SELECT min(finished_at) AS read_until, coalesce(bool_or(is_initial), false) AS is_first_read
      FROM crm_synccursor
     WHERE connection_id = ANY(%(connections)s)
), last_run AS (
    SELECT max(ended_at) AS last_ended_at FROM crm_syncrun WHERE connection_id = ANY(%(connections)s) AND state = 'done'
)
SELECT queue.*, reading.*, last_run.*,
       (SELECT count(DISTINCT (subject, subject_id)) FROM refusal) AS refused,
       (SELECT count(DISTINCT cause_key) FROM refusal) AS causes
  FROM queue, reading, last_run
