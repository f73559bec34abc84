-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at + o - INTERVAL '5 minutes') + INTERVAL '5 minutes' AS window_start, count(*) AS n
--   FROM events, (VALUES (INTERVAL '0 hours'), (INTERVAL '-1 hours')) t(o) WHERE seen_at IS NOT NULL GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/'
GROUP BY HOP(seen_at, INTERVAL '1' HOUR, INTERVAL '2' HOUR, INTERVAL '5' MINUTE)
