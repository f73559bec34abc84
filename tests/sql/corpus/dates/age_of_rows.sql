SELECT order_id, shipped_on - DATE '2024-02-27' AS days FROM '${DATA}/orders/' WHERE shipped_on IS NOT NULL
