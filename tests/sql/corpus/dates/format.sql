-- duckdb: SELECT event_id, strftime(seen_at, '%Y/%m/%d %H:%M:%S') AS shown FROM events
SELECT event_id, date_format(seen_at, '%Y/%m/%d %H:%M:%S') AS shown FROM '${DATA}/events/'
