SELECT order_id, lpad(CAST(order_id AS VARCHAR), 8, '0') AS padded FROM '${DATA}/orders/'
