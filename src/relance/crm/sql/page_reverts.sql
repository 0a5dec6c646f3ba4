-- page_reverts.sql: how many values were put back, by field, since a moment given as a time id (the log's partitions follow it).
SELECT CASE WHEN person_id IS NULL THEN 'company' ELSE 'person' END AS subject, payload ->> 'field' AS field,
       payload ->> 'side' AS side, count(*) AS times
  FROM activity
 WHERE id >= %(since_id)s AND kind = 'crm.value_reverted' AND actor = %(actor)s
 GROUP BY 1, 2, 3
