SELECT o.order_id FROM '${DATA}/orders/' o
WHERE o.quantity NOT IN (SELECT i.quantity FROM '${DATA}/orders/' i WHERE i.product_id = o.product_id AND i.order_id <> o.order_id)
