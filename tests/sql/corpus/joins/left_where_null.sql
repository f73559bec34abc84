SELECT c.customer_id FROM '${DATA}/customers/' c LEFT JOIN '${DATA}/orders/' o ON o.customer_id = c.customer_id
WHERE o.order_id IS NULL
