-- ordered
SELECT status, quantity, order_id FROM '${DATA}/orders/' ORDER BY status DESC, quantity, order_id
