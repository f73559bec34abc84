SELECT event_id, seen_utc AT TIME ZONE 'America/New_York' AS there FROM '${DATA}/events/'
