-- fill_known.sql: those of the file who are there already, in another town.
INSERT INTO person (uid, email, last_name, city, created_at, updated_at)
SELECT gen_random_uuid(), 'person' || number || '@company' || number / 10 || '.example', 'Inconnu', 'Genève', %(now)s, %(now)s
  FROM generate_series(0, %(rows)s - 1, %(one_in)s) AS number
