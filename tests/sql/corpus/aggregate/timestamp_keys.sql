SELECT seen_utc, count(*) AS n FROM '${DATA}/events/' GROUP BY seen_utc
