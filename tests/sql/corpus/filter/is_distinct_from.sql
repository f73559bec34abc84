SELECT order_id, status FROM '${DATA}/orders/' WHERE status IS DISTINCT FROM 'paid'
