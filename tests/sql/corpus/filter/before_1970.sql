SELECT event_id, seen_at FROM '${DATA}/events/' WHERE seen_at < TIMESTAMP '1970-01-01 00:00:00'
