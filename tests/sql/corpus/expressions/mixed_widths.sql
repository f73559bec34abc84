SELECT id, tiny + big AS a, small * 2 AS b, plain - whole AS c, real + precise AS d, tiny + exact AS e
FROM '${DATA}/numerics/'
