-- overview.sql: one row: what waits, what is refused, who is linked, how far the reads are, and what the last twenty-four hours counted.
WITH queue AS (
    SELECT count(*) FILTER (WHERE state <> 'refused') AS waiting, count(*) FILTER (WHERE state = 'refused') AS refused
      FROM crm_push
     WHERE connection_id = %(connection)s
), link AS (
    SELECT count(*) FILTER (WHERE person_id IS NOT NULL) AS linked_people,
           count(*) FILTER (WHERE company_id IS NOT NULL) AS linked_companies
      FROM crm_link
     WHERE connection_id = %(connection)s AND role = 'leading' AND deleted_at IS NULL
), reading AS (
    SELECT min(finished_at) AS read_until FROM crm_synccursor WHERE connection_id = %(connection)s
), run AS (
    SELECT coalesce(sum((counts ->> 'read')::bigint), 0) AS read, coalesce(sum((counts ->> 'new')::bigint), 0) AS new,
           coalesce(sum((counts ->> 'updated')::bigint), 0) AS updated,
           coalesce(sum((counts ->> 'pushed')::bigint), 0) AS pushed,
           coalesce(sum((counts ->> 'reverted')::bigint), 0) AS reverted,
           coalesce(sum((counts ->> 'refused')::bigint), 0) AS refusals
      FROM crm_syncrun
     WHERE connection_id = %(connection)s AND started_at > %(now)s - interval '24 hours'
)
SELECT queue.*, link.*, reading.*, run.* FROM queue, link, reading, run
