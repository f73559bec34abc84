-- duckdb: SELECT time_bucket(INTERVAL '10 minutes', seen_at) - i * INTERVAL '10 minutes' AS window_start, kind,
--   avg(value) AS mean, count(DISTINCT user_id) AS users FROM events, range(6) t(i) GROUP BY ALL
SELECT window_start, kind, avg(value) AS mean, count(DISTINCT user_id) AS users
FROM '${DATA}/events/' GROUP BY HOP(seen_at, INTERVAL '10' MINUTE, INTERVAL '1' HOUR), kind
