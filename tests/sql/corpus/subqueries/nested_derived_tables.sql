SELECT a + 1 AS b FROM (SELECT n * 2 AS a FROM (SELECT count(*) AS n FROM '${DATA}/orders/' GROUP BY status) x) y
