-- merge_lines.sql: the losers' lines become the winner's, each remembering in record_id whose it was. Blocks on a loser's
-- company are copied to the winner's own lines: her company may be another one, and a merge never loosens.
WITH moved AS (
    UPDATE consent_consentline SET person_id = %(winner)s WHERE person_id = ANY(%(losers)s)
)
INSERT INTO consent_consentline
       (person_id, record_id, kind, act_at, recorded_at, said_by, recorded_by, channel, brand_id, topics, purposes, address,
        how, source, until, is_told, is_for_nights, registry, note, fingerprint)
SELECT %(winner)s, loser.id, line.kind, line.act_at, now(), line.said_by, line.recorded_by, line.channel, line.brand_id,
       line.topics, line.purposes, '', line.how, line.source, line.until, line.is_told, line.is_for_nights, line.registry,
       'block of a company, kept at a merge', encode(sha256(convert_to(line.fingerprint || '/' || loser.id, 'UTF8')), 'hex')
  FROM person AS loser
  JOIN person AS winner ON winner.id = %(winner)s AND winner.company_id IS DISTINCT FROM loser.company_id
  JOIN consent_consentline AS line ON line.company_id = loser.company_id
 WHERE loser.id = ANY(%(losers)s)
    ON CONFLICT DO NOTHING
