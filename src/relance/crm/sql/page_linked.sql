-- page_linked.sql: how many people and companies some connections link to a record, one row.
SELECT count(*) FILTER (WHERE person_id IS NOT NULL) AS people, count(*) FILTER (WHERE company_id IS NOT NULL) AS companies
  FROM crm_link
 WHERE connection_id = ANY(%(connections)s) AND role = 'leading' AND deleted_at IS NULL
