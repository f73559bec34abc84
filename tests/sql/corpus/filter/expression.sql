SELECT order_id FROM '${DATA}/orders/' WHERE amount * quantity - 10 > 4000 AND order_id % 3 = 1
