-- page_resolved_causes.sql: causes that hold nobody back any more, since a moment: how many went through, and when last.
SELECT resolved.object, resolved.code, count(DISTINCT (resolved.subject, resolved.subject_id)) AS subjects,
       max(resolved.resolved_at) AS resolved_at
  FROM crm_push_error AS resolved
 WHERE resolved.connection_id = %(connection)s AND resolved.resolved_at >= %(since)s
   AND NOT EXISTS (
       SELECT FROM crm_push_error AS other
        WHERE other.connection_id = resolved.connection_id AND other.cause_key = resolved.cause_key
          AND other.resolved_at IS NULL
       )
 GROUP BY resolved.cause_key, resolved.object, resolved.code
 ORDER BY resolved_at DESC
 LIMIT 8
