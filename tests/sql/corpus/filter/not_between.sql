SELECT order_id FROM '${DATA}/orders/' WHERE quantity NOT BETWEEN 2 AND 8
