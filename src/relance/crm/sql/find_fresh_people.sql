-- find_fresh_people.sql: staged records nobody is linked to, each with the person it stands for: the one with the same address, else
-- a new number. Several records of one address stand for one person; the first of them may lead. A converted lead makes nobody:
-- its contact does. Every look-up goes by its key (LATERAL, LIMIT 1): the planner knows nothing yet of tables a first read fills.
CREATE TEMP TABLE crm_fresh ON COMMIT DROP AS
WITH fresh AS (
    SELECT stage.crm_id, @email@ AS address
      FROM crm_stage AS stage
      LEFT JOIN LATERAL (
           SELECT held.id FROM crm_link AS held
            WHERE held.connection_id = %(connection)s AND held.crm_id = stage.crm_id
            LIMIT 1
           ) AS link ON true
     WHERE link.id IS NULL AND NOT stage.is_deleted AND NOT stage.is_converted
), met AS MATERIALIZED (
    SELECT fresh.*, person.id AS known_id,
           row_number() OVER (PARTITION BY coalesce(fresh.address, fresh.crm_id) ORDER BY fresh.crm_id) AS place
      FROM fresh
      LEFT JOIN LATERAL (
           SELECT held.id FROM person AS held WHERE held.email_key = fresh.address LIMIT 1
           ) AS person ON true
), made AS MATERIALIZED (
    SELECT met.*, CASE WHEN known_id IS NULL AND place = 1 THEN nextval(pg_get_serial_sequence('person', 'id')) END AS made_id
      FROM met
), placed AS (
    SELECT made.*, coalesce(
               known_id, first_value(made_id) OVER (PARTITION BY coalesce(address, crm_id) ORDER BY place)
           ) AS subject_id
      FROM made
)
SELECT placed.crm_id, placed.subject_id, placed.made_id IS NOT NULL AS is_new, placed.place,
       leader.id AS leading_id, leader.object AS leading_object,
       placed.place = 1 AND (leader.id IS NULL OR leader.object = ANY(%(yields)s)) AS leads
  FROM placed
  LEFT JOIN LATERAL (
       SELECT held.id, held.object FROM crm_link AS held
        WHERE held.connection_id = %(connection)s AND held.person_id = placed.subject_id
          AND held.role = 'leading' AND held.deleted_at IS NULL
        LIMIT 1
       ) AS leader ON true
