SELECT id, ((whole + 3) * 2 - small) % 11 + CASE WHEN tiny > 0 THEN 1 ELSE -1 END AS number
FROM '${DATA}/numerics/'
