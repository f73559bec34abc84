SELECT date_trunc('hour', seen_at) AS hour, count(*) AS events FROM '${DATA}/events/' GROUP BY date_trunc('hour', seen_at)
