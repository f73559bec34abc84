SELECT event_id, extract(epoch FROM seen_at - TIMESTAMP '1970-01-01 00:00:00') AS seconds
FROM '${DATA}/events/'
