-- page_run_ticks.sql: the last twenty-four hours of a connection, an hour a row, oldest first: how many runs that touch the hour ended
-- well, how many failed. A quiet run stands for those folded into it, hence the overlap.
SELECT hour.place, count(*) FILTER (WHERE run.state = 'done') AS done, count(*) FILTER (WHERE run.state = 'failed') AS failed
  FROM generate_series(0, %(hours)s - 1) AS hour (place)
  JOIN crm_syncrun AS run
    ON run.connection_id = %(connection)s AND run.started_at >= %(since)s - interval '2 hours'
   AND run.started_at < %(since)s + (hour.place + 1) * interval '1 hour'
   AND coalesce(run.ended_at, %(now)s) >= %(since)s + hour.place * interval '1 hour'
 GROUP BY hour.place
