SELECT point, count(*) AS n FROM '${DATA}/nested/' GROUP BY point
