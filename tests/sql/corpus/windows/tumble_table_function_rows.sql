-- duckdb: SELECT event_id, time_bucket(INTERVAL '1 hour', seen_at) AS window_start FROM events
SELECT event_id, window_start FROM TABLE(TUMBLE(TABLE '${DATA}/events/', DESCRIPTOR(seen_at), INTERVAL '1' HOUR))
