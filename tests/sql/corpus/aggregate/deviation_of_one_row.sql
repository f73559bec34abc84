SELECT event_id, stddev(value) AS s, var_pop(value) AS vp FROM '${DATA}/events/'
WHERE event_id < 6 GROUP BY event_id
