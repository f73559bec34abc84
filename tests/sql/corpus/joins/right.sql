SELECT o.order_id, c.customer_id FROM '${DATA}/orders/' o RIGHT JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id
