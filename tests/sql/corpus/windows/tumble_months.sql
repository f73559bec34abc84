-- duckdb: SELECT date_trunc('month', moment) AS window_start, window_start + INTERVAL '1 month' AS window_end,
--   count(*) AS n FROM days WHERE moment > TIMESTAMP '1900-01-01 00:00:00' GROUP BY ALL
SELECT window_start, window_end, count(*) AS n FROM '${DATA}/days/'
WHERE moment > TIMESTAMP '1900-01-01 00:00:00' GROUP BY TUMBLE(moment, INTERVAL '1' MONTH)
