SELECT id, round(exact, 2) AS two, floor(exact) AS f, ceil(exact) AS c FROM '${DATA}/numerics/'
