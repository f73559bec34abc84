-- duckdb: SELECT time_bucket(INTERVAL '1 hour', seen_at) AS hour, e.name, count(*) AS n
--   FROM events h JOIN employees e ON h.user_id = e.id GROUP BY ALL
CREATE STREAM hourly AS SELECT window_start AS hour, user_id, count(*) AS n FROM '${DATA}/events/'
GROUP BY TUMBLE(seen_at, INTERVAL '1' HOUR), user_id;
SELECT h.hour, e.name, h.n FROM hourly h JOIN '${DATA}/employees/' e ON h.user_id = e.id EMIT FINAL;
