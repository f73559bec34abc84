-- ordered
SELECT order_id, discount FROM '${DATA}/orders/' ORDER BY discount DESC, order_id
