SELECT event_id, seen_at, seen_utc FROM '${DATA}/events/'
