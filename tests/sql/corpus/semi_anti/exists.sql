SELECT c.customer_id FROM '${DATA}/customers/' c
WHERE EXISTS (SELECT 1 FROM '${DATA}/orders/' o WHERE o.customer_id = c.customer_id AND o.amount > 800)
