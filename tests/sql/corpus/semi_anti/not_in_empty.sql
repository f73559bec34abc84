SELECT order_id FROM '${DATA}/orders/' WHERE customer_id NOT IN (SELECT id FROM '${DATA}/empty/')
