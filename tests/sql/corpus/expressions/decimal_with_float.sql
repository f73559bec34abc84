SELECT order_id, amount * (1 - coalesce(discount, 0)) AS paid FROM '${DATA}/orders/'
