SELECT r.taken_at, x.number FROM '${DATA}/readings/' r
JOIN (VALUES (CAST('NaN' AS DOUBLE)), (0.0e0), (12.5e0)) AS x (number) ON r.temperature = x.number
