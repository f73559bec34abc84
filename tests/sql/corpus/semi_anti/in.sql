SELECT order_id FROM '${DATA}/orders/' WHERE customer_id IN (SELECT customer_id FROM '${DATA}/customers/' WHERE vip)
