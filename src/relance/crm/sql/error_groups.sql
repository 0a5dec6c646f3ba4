-- error_groups.sql: open refusals by cause, one row a cause, with the words of the newest.
SELECT error.cause_key, (array_agg(error.object ORDER BY error.last_at DESC))[1] AS object,
       (array_agg(error.code ORDER BY error.last_at DESC))[1] AS code,
       (array_agg(error.message ORDER BY error.last_at DESC))[1] AS message,
       (array_agg(to_jsonb(error.fields) ORDER BY error.last_at DESC))[1] AS fields,
       count(DISTINCT (error.subject, error.subject_id)) AS subjects, sum(error.times) AS times,
       min(error.first_at) AS first_at, max(error.last_at) AS last_at
  FROM crm_push_error AS error
 WHERE error.connection_id = %(connection)s AND error.resolved_at IS NULL
 GROUP BY error.cause_key
 ORDER BY subjects DESC, last_at DESC
