-- check_merge.sql: over all changed records, what must hold after a merge, with the number of records for which it does not.
SELECT 'a field the CRM is right about differs from it' AS what, count(*) AS records
  FROM bench_record AS record
  JOIN person ON person.id = record.id
 WHERE (record.phone, record.job_title, record.city) IS DISTINCT FROM (person.phone, person.job_title, person.city)
UNION ALL
SELECT 'a score the CRM does not have is not queued to be sent', count(*)
  FROM bench_record AS record
  JOIN person ON person.id = record.id
 WHERE record.score IS DISTINCT FROM person.score
   AND NOT EXISTS (SELECT FROM crm_push AS push WHERE push.subject = 'person' AND push.subject_id = person.id)
UNION ALL
SELECT 'somebody who changed is not told in the ledger', count(*)
  FROM crm_push AS push
 WHERE NOT EXISTS (SELECT FROM decision WHERE decision.person_id = push.subject_id AND decision.subject = 'sync')
