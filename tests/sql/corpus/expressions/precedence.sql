SELECT 2 + 3 * 4 AS a, (2 + 3) * 4 AS b, -2 * -3 AS c, 10 - 4 - 3 AS d, 1 + 1 = 2 AND NOT false AS e,
       2 * 3 % 4 AS f, true OR false AND false AS g
