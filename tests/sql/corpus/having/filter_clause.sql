SELECT customer_id FROM '${DATA}/orders/' GROUP BY customer_id HAVING count(*) FILTER (WHERE gift) >= 3
