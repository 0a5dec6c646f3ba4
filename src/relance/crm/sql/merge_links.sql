-- merge_links.sql: hands the records of merged people to the winner. Where she has a leading record already, theirs become second; else the
-- oldest of theirs leads. All are compared afresh: her values are not those they were last compared with.
WITH ranked AS (
    SELECT link.id,
           row_number() OVER (
               PARTITION BY link.connection_id
               ORDER BY (link.role = 'leading' AND link.deleted_at IS NULL) DESC, (link.person_id = %(winner)s) DESC,
                        link.linked_at, link.id
           ) AS place
      FROM crm_link AS link
     WHERE link.person_id = %(winner)s OR link.person_id = ANY(%(losers)s)
)
UPDATE crm_link AS link
   SET person_id = %(winner)s,
       role = CASE WHEN ranked.place > 1 AND link.deleted_at IS NULL THEN 'second' ELSE link.role END,
       agreed_at = NULL,
       crm_modified_at = NULL
  FROM ranked
 WHERE link.id = ranked.id
