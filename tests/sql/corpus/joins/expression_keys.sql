SELECT o.order_id, d.id FROM '${DATA}/orders/' o JOIN '${DATA}/departments/' d ON o.quantity % 6 = d.id + 0
