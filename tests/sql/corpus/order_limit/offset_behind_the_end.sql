-- ordered
SELECT order_id FROM '${DATA}/orders/' ORDER BY order_id LIMIT 10 OFFSET 1000
