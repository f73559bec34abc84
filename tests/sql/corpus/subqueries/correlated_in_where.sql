SELECT o.order_id FROM '${DATA}/orders/' o
WHERE o.amount > (SELECT 1.2 * avg(CAST(i.amount AS DOUBLE)) FROM '${DATA}/orders/' i WHERE i.product_id = o.product_id)
