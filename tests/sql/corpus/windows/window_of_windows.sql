-- duckdb: SELECT date_trunc('hour', w) AS hour, max(n) AS most
--   FROM (SELECT time_bucket(INTERVAL '5 minutes', seen_at) AS w, count(*) AS n FROM events GROUP BY ALL) t GROUP BY ALL
SELECT date_trunc('hour', w) AS hour, max(n) AS most
FROM (SELECT window_start AS w, count(*) AS n FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '5' MINUTE)) t
GROUP BY date_trunc('hour', w)
