SELECT order_id FROM '${DATA}/orders/' WHERE product_id IN
  (SELECT product_id FROM '${DATA}/orders/' GROUP BY product_id HAVING count(*) > 15)
