SELECT event_id, date_trunc('hour', seen_at) AS h, date_trunc('minute', seen_at) AS m, date_trunc('day', seen_at) AS d
FROM '${DATA}/events/'
