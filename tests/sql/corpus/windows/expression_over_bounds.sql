-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at) + INTERVAL '1 hour' - INTERVAL '1 microsecond' AS last,
--   extract(hour FROM time_bucket(INTERVAL '1 hour', seen_at)) AS hour, count(*) AS n FROM events GROUP BY ALL
SELECT window_end - INTERVAL '1' MICROSECOND AS last, extract(hour FROM window_start) AS hour, count(*) AS n
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR)
