-- duckdb: SELECT time_bucket(INTERVAL '30 minutes', seen_at) AS s, s + INTERVAL '30 minutes' AS e, count(*) AS n
--   FROM events GROUP BY ALL
SELECT window_start() AS s, window_end() AS e, count(*) AS n
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '30' MINUTE)
