SELECT status, count(DISTINCT customer_id) AS customers, count(DISTINCT quantity) AS q
FROM '${DATA}/orders/' GROUP BY status
