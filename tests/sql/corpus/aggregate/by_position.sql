SELECT status, quantity, count(*) AS n FROM '${DATA}/orders/' GROUP BY 1, 2
