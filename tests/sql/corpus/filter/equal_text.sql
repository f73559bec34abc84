SELECT order_id FROM '${DATA}/orders/' WHERE status = 'paid'
