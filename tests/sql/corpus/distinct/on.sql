SELECT DISTINCT ON (status) status, order_id, amount FROM '${DATA}/orders/' ORDER BY status, amount DESC, order_id
