SELECT order_id, any_value(status) AS s FROM '${DATA}/orders/' GROUP BY order_id
