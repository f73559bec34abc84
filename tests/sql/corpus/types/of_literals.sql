SELECT 1 AS i, 3000000000 AS b, 1.5 AS d, 1.5e0 AS f, 'x' AS s, true AS t
