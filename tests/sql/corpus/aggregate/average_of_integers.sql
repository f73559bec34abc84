SELECT status, avg(quantity) AS mean FROM '${DATA}/orders/' GROUP BY status
