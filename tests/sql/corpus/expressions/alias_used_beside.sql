SELECT order_id, amount * quantity AS total, total * 0.1 AS fee FROM '${DATA}/orders/'
