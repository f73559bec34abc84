SELECT count(*) AS c, sum(tiny) AS st, sum(exact) AS se, sum(real) AS sr, avg(whole) AS aw,
       min(exact) AS me, max(real) AS mr
FROM '${DATA}/numerics/'
