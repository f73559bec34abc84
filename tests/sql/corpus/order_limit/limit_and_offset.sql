-- ordered
SELECT order_id FROM '${DATA}/orders/' ORDER BY ordered_at, order_id LIMIT 10 OFFSET 25
