-- duckdb: SELECT B.auction, B.price, B.bidder, B.dateTime, B.extra FROM nexmark.bid B JOIN (
--   SELECT max(price) AS maxprice, time_bucket(INTERVAL '10 seconds', dateTime) + INTERVAL '10 seconds' AS dateTime
--   FROM nexmark.bid GROUP BY 2) B1 ON B.price = B1.maxprice
--   WHERE B.dateTime BETWEEN B1.dateTime - INTERVAL '10 seconds' AND B1.dateTime
SELECT B.auction, B.price, B.bidder, B.dateTime, B.extra
FROM '${NEXMARK}/bid/' B
JOIN (
  SELECT MAX(price) AS maxprice, window_end AS dateTime
  FROM TABLE(TUMBLE(TABLE '${NEXMARK}/bid/', DESCRIPTOR(dateTime), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end) B1
ON B.price = B1.maxprice
WHERE B.dateTime BETWEEN B1.dateTime - INTERVAL '10' SECOND AND B1.dateTime
