-- duckdb: SELECT time_bucket(INTERVAL '10 minutes', ordered_at) - i * INTERVAL '10 minutes' AS window_start,
--   count(*) AS n FROM orders, range(3) t(i) GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/orders/' WINDOW SLIDING(30m, 10m)
