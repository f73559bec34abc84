SELECT customer_id, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY customer_id HAVING total > 3000
