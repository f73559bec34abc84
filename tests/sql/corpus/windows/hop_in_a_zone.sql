-- duckdb: SELECT d AT TIME ZONE 'Asia/Kolkata' AS window_start, (d + INTERVAL '2 days') AT TIME ZONE 'Asia/Kolkata' AS window_end,
--   count(*) AS n FROM (SELECT unnest([day, day - INTERVAL '1 day']) AS d FROM (SELECT time_bucket(INTERVAL '1 day',
--   seen_utc AT TIME ZONE 'Asia/Kolkata') AS day FROM events WHERE seen_utc IS NOT NULL)) GROUP BY ALL
SELECT window_start, window_end, count(*) AS n FROM '${DATA}/events/'
GROUP BY HOP(seen_utc, INTERVAL '1' DAY, INTERVAL '2' DAY, 'Asia/Kolkata')
