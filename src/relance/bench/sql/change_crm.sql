-- change_crm.sql: one person in %(part)s, another set each round, as the CRM holds them after somebody worked there: four in ten with
-- another phone, some with another job, town, status, source or score, and some with nothing that is mapped. All else is as we hold it.
DROP TABLE IF EXISTS bench_record;
CREATE UNLOGGED TABLE bench_record AS
SELECT person.id, %(at)s::timestamptz AS at, person.email, person.first_name, person.last_name,
       CASE WHEN mod(drawn.a, 5) = 0 THEN 'Responsable n° ' || mod(drawn.b, 1000) ELSE person.job_title END AS job_title,
       person.company_name,
       CASE WHEN mod(drawn.b, 10) < 4 THEN '+33 1 ' || lpad(mod(drawn.a, 100000000)::text, 8, '0') ELSE person.phone END AS phone,
       CASE WHEN mod(drawn.a, 7) = 0 THEN 'Ville ' || mod(drawn.b, 500) ELSE person.city END AS city,
       CASE WHEN mod(drawn.b, 11) = 0 THEN 'Annuaire' ELSE person.lead_source END AS lead_source,
       CASE WHEN mod(drawn.a, 11) = 0 THEN mod(drawn.b, 900) + 100 ELSE person.score END AS score,
       CASE WHEN mod(drawn.b, 13) < 2 THEN 'Rappelé ' || mod(drawn.a, 9) ELSE person.status END AS status
  FROM person
 CROSS JOIN LATERAL (
       SELECT hashint8(person.id * 61 + %(place)s * 1009 + %(seed)s) & 2147483647 AS a,
              hashint8(person.id * 67 + %(place)s * 2003 + %(seed)s) & 2147483647 AS b
       ) AS drawn
 WHERE mod(hashint8(person.id * 71 + %(seed)s) & 2147483647, %(part)s) = mod(%(place)s, %(part)s)
