SELECT order_id, shipped_on FROM '${DATA}/orders/' WHERE shipped_on > DATE '2024-02-29'
