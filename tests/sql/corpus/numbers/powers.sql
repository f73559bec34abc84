SELECT id, power(tiny, 2) AS square, sqrt(abs(whole)) AS root, exp(tiny / 10.0e0) AS e,
       cbrt(small) AS cube_root
FROM '${DATA}/numerics/'
