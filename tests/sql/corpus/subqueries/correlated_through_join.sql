SELECT c.customer_id FROM '${DATA}/customers/' c WHERE 2 <= (
  SELECT count(DISTINCT p.category) FROM '${DATA}/orders/' o JOIN '${DATA}/products/' p ON o.product_id = p.product_id
  WHERE o.customer_id = c.customer_id AND p.price > 50)
