SELECT avg(n) AS mean, max(total) AS most
FROM (SELECT customer_id, count(*) AS n, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY customer_id) t
