SELECT order_id FROM '${DATA}/orders/' UNION ALL SELECT order_id FROM '${DATA}/orders/'
