SELECT event_id, seen_at + INTERVAL '90' MINUTE AS later, seen_at - INTERVAL '1' DAY AS yesterday
FROM '${DATA}/events/'
