SELECT event_id, seen_at + INTERVAL '1' MICROSECOND AS next, extract(microsecond FROM seen_at) AS micros
FROM '${DATA}/events/'
