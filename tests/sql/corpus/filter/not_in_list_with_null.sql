SELECT order_id FROM '${DATA}/orders/' WHERE quantity NOT IN (1, 2, NULL)
