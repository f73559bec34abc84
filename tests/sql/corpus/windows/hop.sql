-- duckdb: SELECT time_bucket(INTERVAL '5 minutes', seen_at) - i * INTERVAL '5 minutes' AS window_start,
--   window_start + INTERVAL '15 minutes' AS window_end, count(*) AS n FROM events, range(3) t(i) GROUP BY ALL
SELECT window_start, window_end, count(*) AS n
FROM '${DATA}/events/' GROUP BY HOP(seen_at, INTERVAL '5' MINUTE, INTERVAL '15' MINUTE)
