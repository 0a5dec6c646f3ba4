-- blank_decisions.sql: empties the values seen in decisions about erased people; verdicts and the codes of the reasons stay.
UPDATE decision
   SET before  = CASE WHEN before IS NOT NULL THEN array_fill(NULL::text, ARRAY[cardinality(before)]) END,
       after   = CASE WHEN after IS NOT NULL THEN array_fill(NULL::text, ARRAY[cardinality(after)]) END,
       reasons = (SELECT jsonb_agg(reason - 'seen' ORDER BY place)
                    FROM jsonb_array_elements(reasons) WITH ORDINALITY AS told (reason, place))
 WHERE person_id = ANY(%(ids)s)
