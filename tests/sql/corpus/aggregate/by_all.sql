SELECT status, gift, count(*) AS n, sum(amount) AS s FROM '${DATA}/orders/' GROUP BY ALL
