SELECT status, arg_max(order_id, amount) AS richest, arg_min(order_id, amount) AS poorest
FROM '${DATA}/orders/' GROUP BY status
