-- duckdb: SELECT time_bucket(INTERVAL '5 minutes', seen_at) AS window_start, count(*) AS n FROM events GROUP BY ALL
--   HAVING count(*) > 6
SELECT window_start, count(*) AS n FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '5' MINUTE) HAVING count(*) > 6
