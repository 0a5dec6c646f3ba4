-- page_runs_by_day.sql: what was exchanged each day of the reader's time zone, the days without a run left out.
SELECT (started_at AT TIME ZONE %(zone)s)::date AS day,
       sum(coalesce((counts ->> 'new')::bigint, 0) + coalesce((counts ->> 'updated')::bigint, 0)
           + coalesce((counts ->> 'deleted')::bigint, 0) + coalesce((counts ->> 'converted')::bigint, 0))::bigint AS received,
       sum(coalesce((counts ->> 'pushed')::bigint, 0))::bigint AS sent,
       sum(coalesce((counts ->> 'reverted')::bigint, 0))::bigint AS reverted,
       sum(coalesce((counts ->> 'refused')::bigint, 0))::bigint AS refused
  FROM crm_syncrun
 WHERE connection_id = ANY(%(connections)s) AND started_at >= %(since)s
 GROUP BY day
 ORDER BY day
