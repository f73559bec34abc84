SELECT x.id, o.order_id FROM '${DATA}/empty/' x RIGHT JOIN '${DATA}/orders/' o ON o.order_id = x.id WHERE o.order_id < 9
