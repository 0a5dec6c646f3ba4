-- link_fresh.sql: links the fresh records. One that outranks the record leading so far takes its place; a further record of the same
-- person only points to it.
WITH yielded AS (
    UPDATE crm_link AS link
       SET role = 'second'
      FROM crm_fresh AS fresh
     WHERE link.id = fresh.leading_id AND fresh.leads
    RETURNING link.id
), linked AS (
    INSERT INTO crm_link
           (connection_id, object, crm_id, @subject@_id, role, converted_to, merged_into, owner_crm_id, linked_at)
    SELECT %(connection)s, %(object)s, fresh.crm_id, fresh.subject_id, CASE WHEN fresh.leads THEN 'leading' ELSE 'second' END,
           '', '', '', %(now)s
      FROM crm_fresh AS fresh
     WHERE (SELECT count(*) FROM yielded) >= 0
     ORDER BY fresh.subject_id, fresh.place
    RETURNING id, crm_id
)
INSERT INTO crm_event (subject_id, link_id, code, verdict, kind, crm_id)
SELECT fresh.subject_id, linked.id,
       CASE WHEN NOT fresh.leads THEN 'crm.second_record'
            WHEN fresh.leading_id IS NOT NULL THEN 'crm.contact_leads'
            ELSE %(linked_by)s END,
       CASE WHEN fresh.leads THEN 'go' ELSE 'skip' END, 'crm.linked', fresh.crm_id
  FROM crm_fresh AS fresh
  JOIN linked ON linked.crm_id = fresh.crm_id
 WHERE NOT fresh.is_new
