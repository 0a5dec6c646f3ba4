-- blank_activities.sql: empties what the log says of erased people; that it happened, when and by whom stays.
UPDATE activity
   SET payload = '{"erased": true}'
 WHERE person_id = ANY(%(ids)s)
