SELECT round(2.5e0) AS a, round(-2.5e0) AS b, round(0.5e0) AS c, round(2.5) AS d, round(-0.125, 2) AS e
