SELECT B.auction, B.bidder, B.price, B.dateTime, S.value
FROM (SELECT *, mod(auction, 10000) AS side FROM '${NEXMARK}/bid/') B
JOIN '${NEXMARK}/side_input/' AS S ON B.side = S.key
