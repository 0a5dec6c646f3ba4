-- push_subjects.sql: what is known of people (or companies) about to be sent: their record, their owner, the fields that are to go.
SELECT subject.id AS subject_id, @uid@ AS uid, @parent@ AS parent, subject.owner_id IS NOT NULL AS has_owner, @employer@ AS employer,
       link.id AS link_id, link.object, link.crm_id, link.crm_modified_at, ended.id IS NOT NULL AS is_deleted,
       converted.id IS NOT NULL AS is_converted,
       array(
           SELECT dirty.field_key FROM crm_dirty AS dirty
            WHERE dirty.connection_id = %(connection)s AND dirty.subject = '@subject@'
              AND dirty.subject_id = subject.id AND dirty.code = ANY(%(sent)s)
            ORDER BY dirty.field_key
       ) AS fields
  FROM @subject@ AS subject
  LEFT JOIN LATERAL (
       SELECT leader.* FROM crm_link AS leader
        WHERE leader.connection_id = %(connection)s AND leader.@subject@_id = subject.id
          AND leader.role = 'leading' AND leader.deleted_at IS NULL
        LIMIT 1
       ) AS link ON true
  LEFT JOIN LATERAL (
       SELECT other.id FROM crm_link AS other
        WHERE link.id IS NULL AND other.connection_id = %(connection)s AND other.@subject@_id = subject.id
          AND other.deleted_at IS NOT NULL AND other.merged_into = ''
        LIMIT 1
       ) AS ended ON true
  LEFT JOIN LATERAL (
       SELECT other.id FROM crm_link AS other
        WHERE link.id IS NULL AND other.connection_id = %(connection)s AND other.@subject@_id = subject.id
          AND other.deleted_at IS NULL
        LIMIT 1
       ) AS converted ON true
 WHERE subject.id = ANY(%(ids)s)
