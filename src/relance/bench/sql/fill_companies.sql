-- fill_companies.sql: made-up companies, the same for the same seed.
INSERT INTO company (id, name, website, phone, industry, employees, street, postal_code, city, country, created_at, updated_at)
SELECT number, (ARRAY['Ateliers', 'Béton', 'Conseil', 'Datalys', 'Énergies', 'Fermes', 'Groupe', 'Hydro', 'Industrie', 'Jardins'])
       [1 + mod(drawn.name, 10)] || ' ' || (ARRAY['du Nord', 'de Loire', 'Lyon', 'des Alpes', 'Sud', 'Atlantique', 'Paris'])
       [1 + mod(drawn.name / 10, 7)] || ' ' || number,
       'https://company' || number || '.example', '+33 1 ' || lpad((mod(drawn.phone, 100000000))::text, 8, '0'),
       (ARRAY['Banque', 'Industrie', 'Santé', 'Logiciel', 'Transport'])[1 + mod(drawn.industry, 5)], 5 + mod(drawn.size, 5000),
       1 + mod(drawn.size, 200) || ' rue de la République', lpad((1000 + mod(drawn.city, 94000))::text, 5, '0'),
       (ARRAY['Paris', 'Lyon', 'Nantes', 'Lille', 'Bordeaux', 'Toulouse', 'Rennes', 'Genève'])[1 + mod(drawn.city, 8)],
       'France', made.at, made.at
  FROM generate_series(1, %(companies)s) AS number
 CROSS JOIN LATERAL (
       SELECT hashint8(number * 31 + %(seed)s) & 2147483647 AS name, hashint8(number * 37 + %(seed)s) & 2147483647 AS phone,
              hashint8(number * 41 + %(seed)s) & 2147483647 AS industry, hashint8(number * 43 + %(seed)s) & 2147483647 AS size,
              hashint8(number * 47 + %(seed)s) & 2147483647 AS city
       ) AS drawn
 CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - number * interval '20 seconds' AS at) AS made
