-- duckdb: SELECT channel, strftime(dateTime, '%Y-%m-%d') AS day, max(strftime(dateTime, '%H:%M')) AS minute,
--   count(*) AS total_bids, count(*) FILTER (WHERE price < 10000) AS rank1_bids,
--   count(DISTINCT bidder) AS total_bidders,
--   count(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
--   FROM nexmark.bid GROUP BY ALL
SELECT channel, DATE_FORMAT(dateTime, '%Y-%m-%d') AS day, max(DATE_FORMAT(dateTime, '%H:%M')) AS minute,
       count(*) AS total_bids, count(*) FILTER (WHERE price < 10000) AS rank1_bids,
       count(DISTINCT bidder) AS total_bidders,
       count(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
FROM '${NEXMARK}/bid/'
GROUP BY channel, DATE_FORMAT(dateTime, '%Y-%m-%d')
