-- ordered
SELECT order_id, discount FROM '${DATA}/orders/' ORDER BY discount, order_id
