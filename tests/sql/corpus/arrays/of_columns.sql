SELECT order_id, [quantity, product_id] AS pair FROM '${DATA}/orders/'
