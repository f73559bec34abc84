SELECT o.order_id, s.word FROM '${DATA}/orders/' o
JOIN (VALUES ('new'), ('paid')) AS s (word) ON o.status = s.word
