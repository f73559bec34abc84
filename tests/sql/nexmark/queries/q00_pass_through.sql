SELECT auction, bidder, price, dateTime, extra FROM '${NEXMARK}/bid/'
