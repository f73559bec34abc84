SELECT order_id FROM '${DATA}/orders/' WHERE (product_id, quantity) IN
  (SELECT product_id, max(quantity) FROM '${DATA}/orders/' GROUP BY product_id)
