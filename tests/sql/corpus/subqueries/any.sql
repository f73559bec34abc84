SELECT order_id FROM '${DATA}/orders/' WHERE quantity = ANY (SELECT id FROM '${DATA}/departments/')
