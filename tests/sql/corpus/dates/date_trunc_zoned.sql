SELECT event_id, date_trunc('hour', seen_utc) AS h FROM '${DATA}/events/'
