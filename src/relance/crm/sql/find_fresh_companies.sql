-- find_fresh_companies.sql: staged records nobody is linked to, each with the company it stands for: the only one of that name that has no
-- record yet, else a new number. Two records of one name stay two companies.
CREATE TEMP TABLE crm_fresh ON COMMIT DROP AS
WITH fresh AS (
    SELECT stage.crm_id, fold(@name@) AS name_key,
           row_number() OVER (PARTITION BY fold(@name@) ORDER BY stage.crm_id) AS place
      FROM crm_stage AS stage
      LEFT JOIN LATERAL (
           SELECT held.id FROM crm_link AS held
            WHERE held.connection_id = %(connection)s AND held.crm_id = stage.crm_id
            LIMIT 1
           ) AS link ON true
     WHERE link.id IS NULL AND NOT stage.is_deleted
), namesake AS (
    SELECT company.name_key, min(company.id) AS id
      FROM company
     WHERE company.name_key IN (SELECT name_key FROM fresh)
     GROUP BY company.name_key
    HAVING count(*) = 1
), met AS MATERIALIZED (
    SELECT fresh.crm_id, CASE WHEN fresh.place = 1 THEN namesake.id END AS known_id
      FROM fresh
      LEFT JOIN namesake ON namesake.name_key = fresh.name_key AND NOT EXISTS (
           SELECT FROM crm_link AS link WHERE link.connection_id = %(connection)s AND link.company_id = namesake.id
      )
)
SELECT crm_id, coalesce(known_id, nextval(pg_get_serial_sequence('company', 'id'))) AS subject_id,
       known_id IS NULL AS is_new, 1 AS place, NULL::bigint AS leading_id, NULL::text AS leading_object, true AS leads
  FROM met
