-- ordered
SELECT order_id FROM '${DATA}/orders/' ORDER BY amount * quantity DESC, order_id LIMIT 5
