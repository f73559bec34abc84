SELECT order_id FROM '${DATA}/orders/' WHERE order_id BETWEEN 95 AND 100
