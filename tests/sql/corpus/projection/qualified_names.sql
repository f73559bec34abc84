SELECT o.order_id, o.status FROM '${DATA}/orders/' o
