SELECT order_id, amount FROM '${DATA}/orders/' WHERE 1 = 0
