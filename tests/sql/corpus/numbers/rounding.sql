SELECT id, round(precise) AS r, round(precise, 1) AS one, floor(precise) AS f, ceil(precise) AS c,
       trunc(precise) AS t
FROM '${DATA}/numerics/'
