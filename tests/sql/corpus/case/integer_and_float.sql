SELECT id, CASE WHEN id % 2 = 0 THEN whole ELSE precise END AS number FROM '${DATA}/numerics/'
