-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at) AS window_start, count(DISTINCT user_id) AS users, count(*) AS n
--   FROM events GROUP BY ALL
SELECT window_start, count(DISTINCT user_id) AS users, count(*) AS n
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR)
