-- find_unsettled.sql: subjects with changes of ours nobody has decided on yet, and addresses that may be free by now; at most a chunk, for
-- one object. Their rows are held in the order of their ids.
CREATE TEMP TABLE crm_unsettled ON COMMIT DROP AS
SELECT held.id AS subject_id, link.id AS link_id
  FROM (
       SELECT DISTINCT dirty.subject_id
         FROM crm_dirty AS dirty
         JOIN crm_link AS link
           ON link.connection_id = %(connection)s AND link.@subject@_id = dirty.subject_id
          AND link.role = 'leading' AND link.deleted_at IS NULL AND link.object = %(object)s AND link.agreed_at IS NOT NULL
        WHERE dirty.connection_id = %(connection)s AND dirty.subject = %(subject)s
          AND (dirty.code IS NULL OR dirty.code = %(email_taken)s)
          AND dirty.subject_id > %(after)s AND dirty.field_key = ANY(%(keys)s)
        ORDER BY dirty.subject_id
        LIMIT %(limit)s
       ) AS wanted
  JOIN @subject@ AS held ON held.id = wanted.subject_id
  JOIN crm_link AS link
    ON link.connection_id = %(connection)s AND link.@subject@_id = held.id
   AND link.role = 'leading' AND link.deleted_at IS NULL
 ORDER BY held.id
   FOR NO KEY UPDATE OF held
