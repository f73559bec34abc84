-- differs: timestamp_text
-- duckdb: SELECT event_id, strftime(seen_at, '%Y-%m-%d %H:%M:%S.%f') AS seen_at FROM events WHERE event_id % 5 <> 0
SELECT event_id, CAST(seen_at AS VARCHAR) AS seen_at FROM '${DATA}/events/' WHERE event_id % 5 <> 0
