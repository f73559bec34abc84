-- duckdb: SELECT time_bucket(INTERVAL '4 minutes', seen_at, TIMESTAMP '1970-01-01') - i * INTERVAL '4 minutes' AS window_start,
--   count(*) AS n FROM events, range(3) t(i)
--   WHERE seen_at < time_bucket(INTERVAL '4 minutes', seen_at, TIMESTAMP '1970-01-01') - i * INTERVAL '4 minutes' + INTERVAL '10 minutes'
--   GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/' GROUP BY HOP(seen_at, INTERVAL '4' MINUTE, INTERVAL '10' MINUTE)
