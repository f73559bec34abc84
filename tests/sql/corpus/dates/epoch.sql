SELECT event_id, extract(epoch FROM seen_at) AS seconds FROM '${DATA}/events/'
