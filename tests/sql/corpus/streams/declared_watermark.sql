-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at) AS window_start, count(*) AS n FROM events GROUP BY ALL
CREATE STREAM clicks (event_id BIGINT, user_id INT, kind VARCHAR, seen_at TIMESTAMP, seen_utc TIMESTAMPTZ, value DOUBLE, url VARCHAR,
  WATERMARK FOR seen_at AS seen_at - INTERVAL '5' SECOND) FROM '${DATA}/events/';
SELECT window_start, count(*) AS n FROM clicks WINDOW TUMBLING(1h);
