SELECT sum(tiny) AS t, sum(small) AS s, sum(whole) AS w, sum(big) AS b, sum(plain) AS p
FROM '${DATA}/numerics/'
