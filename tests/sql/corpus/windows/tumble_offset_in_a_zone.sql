-- duckdb: SELECT (time_bucket(INTERVAL '1 day', (seen_utc AT TIME ZONE 'Asia/Kolkata') - INTERVAL '6 hours')
--   + INTERVAL '6 hours') AT TIME ZONE 'Asia/Kolkata' AS window_start, count(*) AS n FROM events GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/'
GROUP BY TUMBLE(seen_utc, INTERVAL '1' DAY, INTERVAL '6' HOUR, 'Asia/Kolkata')
