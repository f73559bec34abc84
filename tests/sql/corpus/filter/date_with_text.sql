SELECT order_id, shipped_on FROM '${DATA}/orders/' WHERE shipped_on = '2024-02-29'
