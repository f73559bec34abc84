-- duckdb: WITH hourly AS (SELECT time_bucket(INTERVAL '1 hour', seen_at) AS hour, kind, count(*) AS n FROM events GROUP BY ALL)
--   SELECT hour, kind, n FROM hourly QUALIFY row_number() OVER (PARTITION BY hour ORDER BY n DESC, kind) = 1
WITH hourly AS (SELECT window_start AS hour, kind, count(*) AS n FROM '${DATA}/events/' GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR), kind)
SELECT hour, kind, n FROM hourly QUALIFY row_number() OVER (PARTITION BY hour ORDER BY n DESC, kind) = 1
