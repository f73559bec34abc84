SELECT order_id FROM '${DATA}/orders/' ORDER BY order_id LIMIT 0
