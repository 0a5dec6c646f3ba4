-- claim_due.sql: takes a batch of due rows away from the others and returns their activities, oldest first.
WITH claimed AS (
    DELETE FROM activity_due
     WHERE id IN (
           SELECT due.id FROM activity_due AS due
            WHERE due.consumer = %(consumer)s
            ORDER BY due.activity_id
            LIMIT %(batch)s
              FOR UPDATE SKIP LOCKED
           )
    RETURNING activity_id
)
SELECT activity.id, activity.at, activity.kind, activity.person_id, activity.company_id, activity.actor,
       activity.decision_id, activity.payload
  FROM activity
  JOIN claimed ON claimed.activity_id = activity.id
 ORDER BY activity.id
