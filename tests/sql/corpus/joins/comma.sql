SELECT o.order_id, c.name FROM '${DATA}/orders/' o, '${DATA}/customers/' c
WHERE o.customer_id = c.customer_id AND c.vip
