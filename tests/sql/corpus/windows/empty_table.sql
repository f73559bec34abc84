-- duckdb: SELECT seen_at AS window_start, count(*) AS n FROM empty GROUP BY seen_at
SELECT window_start, count(*) AS n FROM '${DATA}/empty/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR)
