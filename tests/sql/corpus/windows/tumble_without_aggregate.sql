-- duckdb: SELECT DISTINCT time_bucket(INTERVAL '1 hour', seen_at) AS window_start, kind FROM events
SELECT window_start, kind FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR), kind
