SELECT id, CASE WHEN tiny > 3 THEN tiny WHEN whole > 0 THEN exact ELSE small END AS number
FROM '${DATA}/numerics/'
