SELECT order_id, amount FROM '${DATA}/orders/' WHERE amount >= 500.25 AND quantity <> 3
