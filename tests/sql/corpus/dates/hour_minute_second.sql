SELECT event_id, hour(seen_at) AS h, minute(seen_at) AS m, second(seen_at) AS s FROM '${DATA}/events/'
