SELECT customer_id FROM '${DATA}/orders/' GROUP BY customer_id HAVING max(discount) > 0.2
