SELECT event_id, user_id, kind FROM '${DATA}/events/'
QUALIFY row_number() OVER (PARTITION BY user_id, kind ORDER BY seen_at DESC, event_id) = 1
