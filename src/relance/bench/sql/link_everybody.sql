-- link_everybody.sql: a record for each person, with an id of eighteen characters as the CRM makes them.
INSERT INTO crm_link (connection_id, object, crm_id, person_id, role, crm_modified_at, agreed_at, converted_to, merged_into,
                      owner_crm_id, linked_at)
SELECT %(connection)s, %(object)s, '00Q' || lpad(person.id::text, 12, '0') || 'AAA', person.id, 'leading', %(at)s, %(at)s, '', '', '',
       %(at)s
  FROM person
 ORDER BY person.id
