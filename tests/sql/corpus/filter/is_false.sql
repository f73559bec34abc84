SELECT order_id, gift FROM '${DATA}/orders/' WHERE gift IS FALSE
