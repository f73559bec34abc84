SELECT c.customer_id, o.order_id FROM '${DATA}/customers/' c LEFT JOIN '${DATA}/orders/' o
  ON c.customer_id = o.customer_id AND o.status = 'paid'
