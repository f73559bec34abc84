SELECT o.order_id, c.name FROM '${DATA}/orders/' o LEFT JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id
