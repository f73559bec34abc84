SELECT order_id, status FROM '${DATA}/orders/' WHERE status IN ('new', 'shipped', 'lost')
