-- duckdb: SELECT DISTINCT P.id, P.name, time_bucket(INTERVAL '10 seconds', P.dateTime) AS starttime
--   FROM nexmark.person P JOIN nexmark.auction A ON P.id = A.seller
--   AND time_bucket(INTERVAL '10 seconds', P.dateTime) = time_bucket(INTERVAL '10 seconds', A.dateTime)
SELECT P.id, P.name, P.starttime
FROM (
  SELECT id, name, window_start AS starttime, window_end AS endtime
  FROM TABLE(TUMBLE(TABLE '${NEXMARK}/person/', DESCRIPTOR(dateTime), INTERVAL '10' SECOND))
  GROUP BY id, name, window_start, window_end) P
JOIN (
  SELECT seller, window_start AS starttime, window_end AS endtime
  FROM TABLE(TUMBLE(TABLE '${NEXMARK}/auction/', DESCRIPTOR(dateTime), INTERVAL '10' SECOND))
  GROUP BY seller, window_start, window_end) A
ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime
