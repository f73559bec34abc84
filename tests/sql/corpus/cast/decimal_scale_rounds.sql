SELECT id, CAST(exact AS DECIMAL(10, 2)) AS two, CAST(exact AS DECIMAL(12, 0)) AS none
FROM '${DATA}/numerics/'
