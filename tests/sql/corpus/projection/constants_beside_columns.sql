SELECT order_id, 7 AS seven, 'x' AS mark FROM '${DATA}/orders/' WHERE order_id < 5
