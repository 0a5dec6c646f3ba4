-- gather_contact.sql: one row a person with all that the gate reads, each kind of fact as one json array, so that a thousand
-- people cost one round trip. Statements of the company and of shared numbers are read with the person's own. Behind
-- `acts` stand the activities that a room declared to be acts of the person.
WITH asked AS (
    SELECT person.*,
           nullif(lower(btrim(person.email)), '') AS mail_key,
           nullif(regexp_replace(coalesce(person.phone, ''), '[^0-9+]', '', 'g'), '') AS phone_key,
           nullif(regexp_replace(coalesce(person.mobile_phone, ''), '[^0-9+]', '', 'g'), '') AS mobile_key
      FROM person
     WHERE person.id = ANY(%(ids)s)
)
SELECT asked.id, asked.mail_key, asked.phone_key, asked.mobile_key, asked.country, asked.state, asked.postal_code,
       asked.company_id, asked.created_at, company.country AS company_country,
       to_jsonb(profile) AS profile,
       (SELECT coalesce(jsonb_agg(to_jsonb(line) || jsonb_build_object('brand', coalesce(brand.name, ''))), '[]')
          FROM (SELECT * FROM consent_consentline WHERE person_id = asked.id
                UNION ALL   -- not OR: each branch has its own index
                SELECT * FROM consent_consentline WHERE company_id = asked.company_id
                UNION ALL
                SELECT * FROM consent_consentline
                 WHERE person_id IS NULL AND company_id IS NULL
                   AND address = ANY(ARRAY[asked.mail_key, asked.phone_key, asked.mobile_key])) AS line
          LEFT JOIN workspace_brand AS brand ON brand.id = line.brand_id) AS lines,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('registry', listed.registry, 'address', listed.address, 'at', listed.listed_at)), '[]')
          FROM consent_registrynumber AS listed
         WHERE listed.address = ANY(ARRAY[asked.mail_key, asked.phone_key, asked.mobile_key])) AS listings,
       (SELECT coalesce(jsonb_agg(to_jsonb(change)), '[]') FROM consent_addresschange AS change
         WHERE change.person_id = asked.id) AS changes,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('record', merged.loser_id, 'at', merged.merged_at)), '[]')
          FROM people_personmerge AS merged WHERE merged.winner_id = asked.id) AS merges,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', act.kind, 'at', act.at, 'record', act.person_id)), '[]')
          FROM activity AS act
         WHERE act.kind = ANY(%(act_kinds)s)
           AND act.person_id = ANY(asked.id || ARRAY(SELECT loser_id FROM people_personmerge WHERE winner_id = asked.id))) AS acts,
       (SELECT coalesce(jsonb_agg(to_jsonb(sent) || jsonb_build_object('brand', coalesce(brand.name, ''))), '[]')
          FROM deliverability_sentcontact AS sent
          LEFT JOIN workspace_brand AS brand ON brand.id = sent.brand_id
         WHERE sent.person_id = asked.id AND sent.at > %(since)s) AS contacts,
       (SELECT coalesce(jsonb_agg(to_jsonb(quiet) || jsonb_build_object('brand', coalesce(brand.name, ''))), '[]')
          FROM deliverability_quiet AS quiet
          LEFT JOIN workspace_brand AS brand ON brand.id = quiet.brand_id
         WHERE quiet.person_id = asked.id AND quiet.ended_at IS NULL) AS quiet,
       (SELECT coalesce(jsonb_agg(to_jsonb(wish)), '[]') FROM deliverability_frequency AS wish
         WHERE wish.person_id = asked.id) AS wishes,
       (SELECT coalesce(jsonb_agg(to_jsonb(answer)), '[]') FROM deliverability_serveranswer AS answer
         WHERE answer.address = asked.mail_key) AS answers
  FROM asked
  LEFT JOIN company ON company.id = asked.company_id
  LEFT JOIN consent_consentprofile AS profile ON profile.person_id = asked.id
