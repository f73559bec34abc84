-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_utc) AS window_start, count(*) AS n FROM events GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/' GROUP BY TUMBLE(seen_utc, INTERVAL '1' HOUR)
