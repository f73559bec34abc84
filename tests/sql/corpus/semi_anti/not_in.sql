SELECT customer_id FROM '${DATA}/customers/'
WHERE customer_id NOT IN (SELECT customer_id FROM '${DATA}/orders/' WHERE customer_id IS NOT NULL)
