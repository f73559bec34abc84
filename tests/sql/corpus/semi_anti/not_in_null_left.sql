SELECT order_id, customer_id FROM '${DATA}/orders/'
WHERE customer_id NOT IN (SELECT customer_id FROM '${DATA}/customers/' WHERE customer_id < 30)
