-- duckdb: WITH marked AS (SELECT *, coalesce(ordered_at - lag(ordered_at) OVER w >= INTERVAL '20 minutes', true) AS fresh
--   FROM orders WINDOW w AS (PARTITION BY status ORDER BY ordered_at)),
--   numbered AS (SELECT *, sum(fresh::INT) OVER (PARTITION BY status ORDER BY ordered_at RANGE UNBOUNDED PRECEDING)
--   AS number FROM marked)
--   SELECT status, min(ordered_at) AS window_start, count(*) AS n FROM numbered GROUP BY status, number
SELECT status, window_start, count(*) AS n FROM '${DATA}/orders/' GROUP BY status WINDOW SESSION(ordered_at, 20m)
