SELECT status, array_agg(order_id ORDER BY amount DESC, order_id) AS ids
FROM '${DATA}/orders/' WHERE order_id < 60 GROUP BY status
