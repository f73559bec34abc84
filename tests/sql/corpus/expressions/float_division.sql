SELECT id, whole / 7.0e0 AS quotient, precise / 4 AS quarter, real / 3 AS third
FROM '${DATA}/numerics/'
