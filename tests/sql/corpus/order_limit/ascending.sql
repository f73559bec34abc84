-- ordered
SELECT order_id, amount FROM '${DATA}/orders/' ORDER BY amount, order_id
