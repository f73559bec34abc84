-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at) AS window_start, window_start + INTERVAL '1 hour' AS window_end,
--   count(*) AS events FROM events GROUP BY ALL
SELECT window_start, window_end, count(*) AS events
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR)
