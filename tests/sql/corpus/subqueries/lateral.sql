SELECT c.customer_id, t.order_id, t.amount FROM '${DATA}/customers/' c
CROSS JOIN LATERAL (SELECT order_id, amount FROM '${DATA}/orders/' o WHERE o.customer_id = c.customer_id) t
