-- follow_conversions.sql: leads that became contacts. The person's lead moves from the lead's link to a link of the contact, before
-- anything is written on either. Reads pairs (lead, contact) as json, so that it serves a page of leads and a list of conversions alike.
-- A contact already linked to somebody else keeps its person: the lead's link then only tells what became of it.
WITH pair AS (
    SELECT DISTINCT ON (told.contact_id) told.lead_id, told.contact_id, link.id AS link_id, link.person_id, link.role,
           contact.id AS contact_link_id, contact.person_id AS contact_person_id
      FROM jsonb_to_recordset(%(pairs)s::jsonb) AS told (lead_id text, contact_id text)
      JOIN crm_link AS link
        ON link.connection_id = %(connection)s AND link.crm_id = told.lead_id AND link.converted_to = ''
      LEFT JOIN crm_link AS contact ON contact.connection_id = %(connection)s AND contact.crm_id = told.contact_id
     WHERE told.contact_id <> ''
     ORDER BY told.contact_id, link.role, link.id
), stepped_down AS (
    UPDATE crm_link AS link
       SET role = 'second', converted_to = pair.contact_id
      FROM pair
     WHERE link.id = pair.link_id
    RETURNING link.id
), others_stepped_down AS (
    UPDATE crm_link AS link
       SET role = 'second'
      FROM pair
     WHERE link.connection_id = %(connection)s AND link.person_id = pair.person_id AND link.role = 'leading'
       AND link.id <> pair.link_id AND pair.contact_link_id IS NULL
    RETURNING link.id
), taken_over AS (
    INSERT INTO crm_link (connection_id, object, crm_id, person_id, role, converted_to, merged_into, owner_crm_id, linked_at)
    SELECT %(connection)s, %(contact)s, pair.contact_id, pair.person_id, 'leading', '', '', '', %(now)s
      FROM pair
     WHERE pair.contact_link_id IS NULL
       AND (SELECT count(*) FROM stepped_down) >= 0 AND (SELECT count(*) FROM others_stepped_down) >= 0
    RETURNING id, person_id, crm_id
)
INSERT INTO crm_event (subject_id, link_id, code, verdict, kind, crm_id, object)
SELECT person_id, link_id, 'crm.followed_conversion', 'go', 'crm.converted', contact_id, %(contact)s FROM pair
