SELECT order_id, amount FROM '${DATA}/orders/' WHERE amount BETWEEN 100 AND 250.5
