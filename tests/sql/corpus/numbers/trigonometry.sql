SELECT id, sin(tiny) AS s, cos(tiny) AS c, tan(tiny) AS t, atan(precise) AS a, atan2(tiny, 3) AS b,
       degrees(precise) AS d, radians(small) AS r
FROM '${DATA}/numerics/'
