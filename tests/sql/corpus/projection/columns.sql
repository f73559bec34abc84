SELECT order_id, amount FROM '${DATA}/orders/'
