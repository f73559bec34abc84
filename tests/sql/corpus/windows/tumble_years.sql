-- duckdb: SELECT date_trunc('year', moment) AS window_start, count(*) AS n FROM days
--   WHERE moment IS NOT NULL GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/days/' WHERE moment IS NOT NULL GROUP BY TUMBLE(moment, INTERVAL '1' YEAR)
