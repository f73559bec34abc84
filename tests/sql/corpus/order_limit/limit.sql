-- ordered
SELECT order_id, amount FROM '${DATA}/orders/' ORDER BY amount DESC, order_id LIMIT 7
