-- duckdb: WITH marked AS (SELECT *, coalesce(seen_at - lag(seen_at) OVER w >= INTERVAL '10 minutes', true) AS fresh
--   FROM events WINDOW w AS (PARTITION BY user_id ORDER BY seen_at)),
--   numbered AS (SELECT *, sum(fresh::INT) OVER (PARTITION BY user_id ORDER BY seen_at RANGE UNBOUNDED PRECEDING) AS number
--   FROM marked)
--   SELECT user_id, min(seen_at) AS window_start, max(seen_at) + INTERVAL '10 minutes' AS window_end, count(*) AS n,
--   sum(value) AS total, min(kind) AS kind FROM numbered GROUP BY user_id, number
SELECT user_id, window_start, window_end, count(*) AS n, sum(value) AS total, min(kind) AS kind
FROM '${DATA}/events/' GROUP BY SESSION(seen_at, INTERVAL '10' MINUTE), user_id
