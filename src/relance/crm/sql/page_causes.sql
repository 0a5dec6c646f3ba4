-- page_causes.sql: what the CRM refuses now, by cause, the cause that holds back most first. The words are those of its newest refusal;
-- `days` counts the first refusals of each of the last ten days, oldest first.
WITH line AS (
    SELECT *, row_number() OVER (PARTITION BY cause_key ORDER BY last_at DESC, id DESC) AS place
      FROM crm_push_error
     WHERE connection_id = ANY(%(connections)s) AND resolved_at IS NULL
), newest AS (
    SELECT connection_id, cause_key, object, code, message, fields, body FROM line WHERE place = 1
), total AS (
    SELECT cause_key, count(DISTINCT (subject, subject_id)) AS subjects, bool_and(subject = 'company') AS is_companies,
           min(first_at) AS first_at, max(last_at) AS last_at, sum(times) AS times
      FROM line
     GROUP BY cause_key
), day AS (
    SELECT cause_key, %(today)s::date - (first_at AT TIME ZONE %(zone)s)::date AS age, count(*) AS times
      FROM line
     GROUP BY cause_key, age
)
SELECT newest.*, total.subjects, total.is_companies, total.first_at, total.last_at, total.times,
       ARRAY(
           SELECT coalesce(day.times, 0)
             FROM generate_series(9, 0, -1) AS age
             LEFT JOIN day ON day.cause_key = newest.cause_key AND day.age = age.age
            ORDER BY age.age DESC
       ) AS days
  FROM newest
  JOIN total USING (cause_key)
 ORDER BY total.subjects DESC, total.last_at DESC
