WITH totals AS (SELECT customer_id, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY customer_id)
SELECT a.customer_id, b.customer_id AS richer FROM totals a JOIN totals b ON a.total < b.total AND a.customer_id + 1 = b.customer_id
