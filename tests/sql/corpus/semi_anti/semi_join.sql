SELECT c.customer_id, c.name FROM '${DATA}/customers/' c SEMI JOIN '${DATA}/orders/' o ON c.customer_id = o.customer_id
