-- duckdb: SELECT time_bucket(INTERVAL '1500 milliseconds', seen_at, TIMESTAMP '1970-01-01') AS window_start,
--   count(*) AS n FROM events GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1500' MILLISECOND)
