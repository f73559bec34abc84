-- duckdb: WITH marked AS (SELECT seen_at, coalesce(seen_at - lag(seen_at) OVER w >= INTERVAL '90 seconds', true) AS fresh
--   FROM events WINDOW w AS (ORDER BY seen_at)),
--   numbered AS (SELECT seen_at, sum(fresh::INT) OVER (ORDER BY seen_at RANGE UNBOUNDED PRECEDING) AS number FROM marked)
--   SELECT min(seen_at) AS window_start, max(seen_at) + INTERVAL '90 seconds' AS window_end, count(*) AS n
--   FROM numbered GROUP BY number
SELECT window_start, window_end, count(*) AS n
FROM '${DATA}/events/' GROUP BY SESSION(seen_at, INTERVAL '90' SECOND)
