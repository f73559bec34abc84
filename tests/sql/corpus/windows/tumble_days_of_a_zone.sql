-- duckdb: SELECT time_bucket(INTERVAL '1 day', seen_utc, 'Europe/Berlin') AS window_start, count(*) AS n FROM events GROUP BY ALL
SELECT window_start, count(*) AS n FROM '${DATA}/events/'
GROUP BY TUMBLE(seen_utc, INTERVAL '1' DAY, 'Europe/Berlin')
