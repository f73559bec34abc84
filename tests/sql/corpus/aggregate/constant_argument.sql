SELECT status, sum(1) AS n, count(1) AS c, max('x') AS x FROM '${DATA}/orders/' GROUP BY status
