-- duckdb: SELECT time_bucket(INTERVAL '20 minutes', seen_at) AS window_start,
--   window_start + INTERVAL '20 minutes' AS window_end, count(*) AS n FROM events GROUP BY ALL
SELECT window_start, window_end, count(*) AS n
FROM TABLE(TUMBLE(TABLE '${DATA}/events/', DESCRIPTOR(seen_at), INTERVAL '20' MINUTE))
GROUP BY window_start, window_end
