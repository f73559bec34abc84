SELECT quantity % 3 AS rest, count(*) AS n FROM '${DATA}/orders/' GROUP BY quantity % 3
