SELECT c.customer_id, (SELECT count(*) FROM '${DATA}/orders/' o WHERE o.customer_id = c.customer_id) AS n
FROM '${DATA}/customers/' c
