SELECT auction, bidder, price, channel, url, B.dateTime, B.extra, itemName, description, initialBid, reserve,
       A.dateTime AS auction_dateTime, expires, seller, category, A.extra AS auction_extra
FROM '${NEXMARK}/bid/' AS B INNER JOIN '${NEXMARK}/auction/' AS A ON B.auction = A.id
WHERE A.category = 10
