SELECT o.order_id, x.name FROM '${DATA}/orders/' o LEFT JOIN '${DATA}/empty/' x ON o.order_id = x.id
