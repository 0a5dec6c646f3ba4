-- lock_staged.sql: holds the rows about to be compared, in the order of their ids: nobody changes one between verdict and effect.
SELECT count(*) AS held
  FROM (
       SELECT held.id
         FROM @subject@ AS held
        WHERE held.id IN (
              SELECT link.@subject@_id
                FROM crm_stage AS stage
               CROSS JOIN LATERAL (
                     SELECT held.* FROM crm_link AS held
                      WHERE held.connection_id = %(connection)s AND held.crm_id = stage.crm_id
                      LIMIT 1
                     ) AS link
               WHERE link.role = 'leading'
                 AND (link.crm_modified_at IS NULL OR link.crm_modified_at <= stage.modified_at)
              )
        ORDER BY held.id
          FOR NO KEY UPDATE
       ) AS held
