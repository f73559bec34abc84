SELECT user_id, first(kind ORDER BY seen_at, event_id) AS first, last(kind ORDER BY seen_at, event_id) AS last
FROM '${DATA}/events/' GROUP BY user_id
