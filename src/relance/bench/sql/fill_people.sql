-- fill_people.sql: made-up people of the companies there are, the same for the same seed, a part of them at a time. One in four has no mobile phone, one in
-- ten no job title; nobody shares an address.
INSERT INTO person (id, uid, email, salutation, first_name, last_name, job_title, company_id, company_name, phone, mobile_phone, street,
                    postal_code, city, country, language, lead_source, status, score, created_at, updated_at)
SELECT number, md5(number::text || '-' || %(seed)s::text)::uuid,
       lower(fold(drawn.first_name || '.' || drawn.last_name)) || number || '@company' || company.id || '.example',
       (ARRAY['Mme', 'M.'])[1 + mod(drawn.a, 2)], drawn.first_name, drawn.last_name,
       CASE WHEN mod(drawn.b, 10) > 0 THEN
           (ARRAY['Directrice', 'Acheteur', 'Ingénieure', 'Responsable marketing', 'Comptable', 'Chef de projet'])[1 + mod(drawn.a, 6)] END,
       company.id, company.name, '+33 2 ' || lpad((mod(drawn.b, 100000000))::text, 8, '0'),
       CASE WHEN mod(drawn.a, 4) > 0 THEN '+33 6 ' || lpad((mod(drawn.a, 100000000))::text, 8, '0') END,
       1 + mod(drawn.a, 200) || ' avenue Jean Jaurès', company.postal_code, company.city, 'France',
       CASE WHEN mod(drawn.b, 5) > 0 THEN 'fr' ELSE 'en' END,
       (ARRAY['Salon', 'Site', 'Recommandation', 'Webinaire', 'Achat'])[1 + mod(drawn.b, 5)],
       (ARRAY['Nouveau', 'En cours', 'Qualifié', 'Disqualifié'])[1 + mod(drawn.a, 4)], mod(drawn.b, 101), made.at, made.at
  FROM generate_series(%(low)s, %(high)s) AS number
 CROSS JOIN LATERAL (
       SELECT hashint8(number * 53 + %(seed)s) & 2147483647 AS a, hashint8(number * 59 + %(seed)s) & 2147483647 AS b
       ) AS hashed
 CROSS JOIN LATERAL (
       SELECT hashed.a, hashed.b,
              (ARRAY['Aline', 'Bruno', 'Chloé', 'Denis', 'Élodie', 'Farid', 'Gaëlle', 'Hugo', 'Inès', 'Jules', 'Karim', 'Léa',
                     'Mehdi', 'Nadia', 'Olivier', 'Paul', 'Quentin', 'Rose', 'Sarah', 'Théo'])[1 + mod(hashed.a / 7, 20)] AS first_name,
              (ARRAY['Martin', 'Bernard', 'Thomas', 'Petit', 'Robert', 'Richard', 'Durand', 'Dubois', 'Moreau', 'Laurent', 'Simon',
                     'Michel', 'Lefèvre', 'Leroy', 'Roux', 'David', 'Bertrand', 'Morel', 'Fournier', 'Girard', 'Bonnet', 'Dupont',
                     'Lambert', 'Fontaine', 'Rousseau', 'Vincent', 'Muller', 'Faure', 'André', 'Mercier'])[1 + mod(hashed.b / 11, 30)]
              || (ARRAY['', '', '', '-Garnier', '-Chevalier', '-François', '-Legrand'])[1 + mod(hashed.b / 330, 7)] AS last_name
       ) AS drawn
 CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - number * interval '2 seconds' AS at) AS made
  JOIN company ON company.id = 1 + mod(hashed.a, %(companies)s)
