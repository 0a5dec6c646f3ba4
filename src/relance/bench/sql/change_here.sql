-- change_here.sql: what people did here meanwhile to some whose records changed: a phone typed on a field of the CRM's, a score counted,
-- a status set. An ordinary update, noted by the triggers as any other.
UPDATE person
   SET phone = CASE WHEN mod(drawn.a, 20) = 0 THEN '+33 9 ' || lpad(mod(drawn.b, 100000000)::text, 8, '0') ELSE phone END,
       score = CASE WHEN mod(drawn.b, 10) < 2 THEN coalesce(score, 0) + 1 + mod(drawn.a, 20) ELSE score END,
       status = CASE WHEN mod(drawn.a, 10) = 1 THEN 'Suivi ' || mod(drawn.b, 9) ELSE status END
  FROM (
       SELECT record.id, hashint8(record.id * 73 + %(place)s * 3001 + %(seed)s) & 2147483647 AS a,
              hashint8(record.id * 79 + %(place)s * 4001 + %(seed)s) & 2147483647 AS b
         FROM bench_record AS record
       ) AS drawn
 WHERE person.id = drawn.id AND (mod(drawn.a, 20) = 0 OR mod(drawn.b, 10) < 2 OR mod(drawn.a, 10) = 1)
