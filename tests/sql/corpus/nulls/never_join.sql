SELECT a.order_id, b.order_id AS other FROM '${DATA}/orders/' a JOIN '${DATA}/orders/' b
  ON a.customer_id = b.customer_id AND a.order_id < b.order_id AND b.order_id < 60
