SELECT c.customer_id, (SELECT max(o.amount) FROM '${DATA}/orders/' o WHERE o.customer_id = c.customer_id) AS most
FROM '${DATA}/customers/' c
