SELECT status, count(*) AS n FROM '${DATA}/orders/' GROUP BY status HAVING status IN ('new', 'paid')
