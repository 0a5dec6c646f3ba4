-- dry_run_examples.sql: a few lines of each reason of the merge just tried, with the name of whom each is about.
SELECT ranked.code, ranked.field, ranked.local, ranked.crm, ranked.subject_id, @named@ AS name
  FROM (
       SELECT line.*, row_number() OVER (PARTITION BY line.code ORDER BY line.subject_id, line.field) AS place
         FROM crm_line AS line
        WHERE line.is_news
       ) AS ranked
  JOIN @subject@ AS subject ON subject.id = ranked.subject_id
 WHERE ranked.place <= %(most)s
 ORDER BY ranked.code, ranked.place
