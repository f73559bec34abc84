SELECT customer_id, order_id, name FROM '${DATA}/orders/' JOIN '${DATA}/customers/' USING (customer_id)
