SELECT a.order_id, b.order_id AS other FROM '${DATA}/orders/' a JOIN '${DATA}/orders/' b
  ON a.product_id = b.product_id AND a.quantity = b.quantity AND a.order_id < b.order_id
