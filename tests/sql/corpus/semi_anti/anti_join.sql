SELECT c.customer_id FROM '${DATA}/customers/' c ANTI JOIN '${DATA}/orders/' o ON c.customer_id = o.customer_id
