-- duckdb: SELECT date_trunc('quarter', moment) AS window_start, window_start + INTERVAL '3 months' AS window_end,
--   count(*) AS n FROM days WHERE moment IS NOT NULL GROUP BY ALL
SELECT window_start, window_end, count(*) AS n FROM '${DATA}/days/' WHERE moment IS NOT NULL GROUP BY TUMBLE(moment, INTERVAL '3' MONTH)
