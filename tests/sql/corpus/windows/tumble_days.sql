-- duckdb: SELECT date_trunc('day', ordered_at) AS window_start, sum(amount) AS revenue FROM orders GROUP BY ALL
SELECT window_start, sum(amount) AS revenue FROM '${DATA}/orders/' GROUP BY TUMBLE(ordered_at, INTERVAL '1' DAY)
