SELECT o.order_id FROM '${DATA}/orders/' o JOIN '${DATA}/empty/' x ON o.order_id = x.id
