SELECT customer_id, product_id, quantity, count(*) AS n FROM '${DATA}/orders/' GROUP BY customer_id, product_id, quantity
