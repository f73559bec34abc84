SELECT event_id, CAST(seen_at AS VARCHAR) AS seen_at FROM '${DATA}/events/'
