SELECT customer_id FROM '${DATA}/orders/' INTERSECT SELECT customer_id FROM '${DATA}/customers/' WHERE vip
