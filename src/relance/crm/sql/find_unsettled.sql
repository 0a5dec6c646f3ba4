-- find_unsettled.sql: subjects with changes of ours nobody has decided on yet, and addresses that may be free by now; at most a chunk, for
-- one object. Their rows are held in the order of their ids.
CREATE TEMP TABLE crm_unsettled ON COMMIT DROP AS
SELECT held.id AS subject_id, link.id AS link_id
  FROM (
       SELECT DISTINCT dirty.subject_id
         FROM crm_dirty AS dirty
        CROSS JOIN LATERAL (
              SELECT held.id FROM crm_link AS held
               WHERE held.connection_id = %(connection)s AND held.@subject@_id = dirty.subject_id
                 AND held.role = 'leading' AND held.deleted_at IS NULL AND held.object = %(object)s
                 AND held.agreed_at IS NOT NULL
               LIMIT 1
              ) AS link
        WHERE dirty.connection_id = %(connection)s AND dirty.subject = %(subject)s
          AND (dirty.code IS NULL OR dirty.code = %(email_taken)s)
          AND dirty.subject_id > %(after)s AND dirty.field_key = ANY(%(keys)s)
        ORDER BY dirty.subject_id
        LIMIT %(limit)s
       ) AS wanted
  JOIN @subject@ AS held ON held.id = wanted.subject_id
  CROSS JOIN LATERAL (
       SELECT leader.id FROM crm_link AS leader
        WHERE leader.connection_id = %(connection)s AND leader.@subject@_id = held.id
          AND leader.role = 'leading' AND leader.deleted_at IS NULL
        LIMIT 1
       ) AS link
 ORDER BY held.id
   FOR NO KEY UPDATE OF held
