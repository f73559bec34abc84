SELECT o.order_id FROM '${DATA}/orders/' o
WHERE o.amount = (SELECT max(i.amount) FROM '${DATA}/orders/' i WHERE i.status = o.status AND i.gift = o.gift)
