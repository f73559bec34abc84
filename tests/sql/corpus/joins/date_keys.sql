SELECT o.order_id, d.id FROM '${DATA}/orders/' o JOIN '${DATA}/days/' d ON o.shipped_on = d.day
