-- duckdb: SELECT time_bucket(INTERVAL '10 minutes', seen_at) AS window_start, count(*) AS n FROM events
--   WHERE seen_at < time_bucket(INTERVAL '10 minutes', seen_at) + INTERVAL '4 minutes' GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/' GROUP BY HOP(seen_at, INTERVAL '10' MINUTE, INTERVAL '4' MINUTE)
