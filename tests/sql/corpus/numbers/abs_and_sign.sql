SELECT id, abs(whole) AS a, abs(exact) AS e, sign(small) AS s, abs(precise) AS p
FROM '${DATA}/numerics/'
