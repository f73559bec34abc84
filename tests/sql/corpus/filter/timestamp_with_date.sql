SELECT order_id FROM '${DATA}/orders/' WHERE ordered_at >= DATE '2024-02-29'
