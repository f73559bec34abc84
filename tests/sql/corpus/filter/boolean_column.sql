SELECT order_id FROM '${DATA}/orders/' WHERE gift
