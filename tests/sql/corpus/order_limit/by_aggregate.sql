-- ordered
SELECT status, count(*) AS n FROM '${DATA}/orders/' GROUP BY status ORDER BY count(*) DESC, status LIMIT 3
