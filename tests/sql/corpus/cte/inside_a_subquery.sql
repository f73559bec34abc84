SELECT order_id FROM '${DATA}/orders/' WHERE product_id IN (
  WITH cheap AS (SELECT product_id FROM '${DATA}/products/' WHERE price < 60) SELECT product_id FROM cheap)
