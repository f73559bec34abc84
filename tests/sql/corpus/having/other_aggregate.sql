SELECT status FROM '${DATA}/orders/' GROUP BY status HAVING avg(quantity) > 4.5 AND max(gift) IS NOT NULL
