-- compare_swept.sql: linked records that are not among all there are, and records nobody is linked to. Records opened from a lead that was
-- converted are none of the latter: their contact stands for the person.
SELECT link.crm_id, 'vanished' AS what
  FROM crm_link AS link
 WHERE link.connection_id = %(connection)s AND link.object = %(object)s AND link.deleted_at IS NULL AND link.converted_to = ''
   AND NOT EXISTS (SELECT FROM crm_swept AS swept WHERE swept.crm_id = link.crm_id)
UNION ALL
SELECT swept.crm_id, 'seen_first'
  FROM crm_swept AS swept
 WHERE NOT swept.is_converted
   AND NOT EXISTS (
       SELECT FROM crm_link AS link
        WHERE link.connection_id = %(connection)s AND link.crm_id = swept.crm_id AND link.deleted_at IS NULL
       )
 ORDER BY 2, 1
