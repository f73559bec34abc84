SELECT count(*) AS n, sum(amount) AS s FROM '${DATA}/orders/' WHERE order_id < 0
