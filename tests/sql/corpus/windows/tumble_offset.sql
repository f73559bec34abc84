-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at, INTERVAL '17 minutes') AS window_start, count(*) AS n
--   FROM events GROUP BY ALL
SELECT window_start, count(*) AS n
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR, INTERVAL '17' MINUTE)
