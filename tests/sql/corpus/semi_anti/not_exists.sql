SELECT c.customer_id FROM '${DATA}/customers/' c
WHERE NOT EXISTS (SELECT * FROM '${DATA}/orders/' o WHERE o.customer_id = c.customer_id)
