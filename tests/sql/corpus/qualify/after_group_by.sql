SELECT customer_id, status, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY customer_id, status
QUALIFY rank() OVER (PARTITION BY status ORDER BY sum(amount) DESC) = 1
