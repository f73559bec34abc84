-- duckdb: SELECT time_bucket(INTERVAL '10 minutes', seen_at) AS s, s + INTERVAL '10 minutes' AS e, max(value) AS m
--   FROM events GROUP BY ALL
SELECT TUMBLE_START(seen_at, INTERVAL '10' MINUTE) AS s, TUMBLE_END(seen_at, INTERVAL '10' MINUTE) AS e, max(value) AS m
FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '10' MINUTE)
