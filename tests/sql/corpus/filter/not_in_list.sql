SELECT order_id, status FROM '${DATA}/orders/' WHERE quantity NOT IN (1, 2, 3, 4)
