SELECT id, whole % 7 AS rest, small % -4 AS back, mod(big, 1000) AS thousands, -7 % 3 AS minus
FROM '${DATA}/numerics/'
