-- duckdb: WITH marked AS (SELECT *, coalesce(dateTime - lag(dateTime) OVER w > INTERVAL '10 seconds', true) AS fresh
--   FROM nexmark.bid WINDOW w AS (PARTITION BY bidder ORDER BY dateTime)),
--   numbered AS (SELECT *, sum(fresh::INT) OVER (PARTITION BY bidder ORDER BY dateTime) AS number
--   FROM marked)
--   SELECT bidder, count(*) AS bid_count, min(dateTime) AS starttime, max(dateTime) + INTERVAL '10 seconds' AS endtime
--   FROM numbered GROUP BY bidder, number
SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM '${NEXMARK}/bid/'
GROUP BY bidder, SESSION(dateTime, INTERVAL '10' SECOND)
