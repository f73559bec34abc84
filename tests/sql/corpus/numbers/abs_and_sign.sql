SELECT id, abs(whole) AS a, abs(exact) AS e, CAST(sign(small) AS INTEGER) AS s, abs(precise) AS p
FROM '${DATA}/numerics/'
