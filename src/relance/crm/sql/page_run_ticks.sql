-- page_run_ticks.sql: the last twenty-four hours of a connection, an hour a row, oldest first: how many runs ended well, how many failed.
SELECT date_bin('1 hour', started_at, %(since)s) AS hour,
       count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'failed') AS failed
  FROM crm_syncrun
 WHERE connection_id = %(connection)s AND started_at >= %(since)s
 GROUP BY hour
 ORDER BY hour
