SELECT count(*) AS n FROM '${DATA}/orders/' HAVING count(*) > 1000
