SELECT auction, price FROM '${NEXMARK}/bid/' WHERE MOD(auction, 123) = 0
