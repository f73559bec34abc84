SELECT customer_id, count(*) AS n FROM '${DATA}/orders/' GROUP BY customer_id HAVING count(*) > 6
