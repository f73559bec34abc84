-- duckdb: SELECT time_bucket(INTERVAL '30 minutes', ordered_at) AS window_start, count(*) AS n FROM orders GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/orders/' WINDOW TUMBLING(30m)
