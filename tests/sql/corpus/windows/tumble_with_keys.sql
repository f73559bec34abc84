-- duckdb: SELECT time_bucket(INTERVAL '5 minutes', seen_at) AS window_start, kind, count(*) AS events,
--   sum(value) AS total FROM events GROUP BY ALL
SELECT window_start, kind, count(*) AS events, sum(value) AS total
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '5' MINUTE), kind
