-- duckdb: SELECT time_bucket(INTERVAL '1 hour', ordered_at) AS window_start, c.country, count(*) AS orders,
--   sum(o.amount) AS revenue FROM orders o JOIN customers c ON o.customer_id = c.customer_id
--   WHERE o.status <> 'cancelled' GROUP BY ALL
SELECT window_start, c.country, count(*) AS orders, sum(o.amount) AS revenue
FROM '${DATA}/orders/' o JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id
WHERE o.status <> 'cancelled'
GROUP BY TUMBLE(o.ordered_at, INTERVAL '1' HOUR), c.country
