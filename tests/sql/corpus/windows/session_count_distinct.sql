-- duckdb: WITH marked AS (SELECT seen_at, user_id, coalesce(seen_at - lag(seen_at) OVER w >= INTERVAL '1 minute', true) AS fresh
--   FROM events WINDOW w AS (ORDER BY seen_at)),
--   numbered AS (SELECT seen_at, user_id, sum(fresh::INT) OVER (ORDER BY seen_at RANGE UNBOUNDED PRECEDING) AS number FROM marked)
--   SELECT min(seen_at) AS window_start, count(DISTINCT user_id) AS users FROM numbered GROUP BY number
SELECT window_start, count(DISTINCT user_id) AS users FROM '${DATA}/events/' GROUP BY SESSION(seen_at, INTERVAL '1' MINUTE)
