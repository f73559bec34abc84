SELECT order_id, amount - (SELECT min(amount) FROM '${DATA}/orders/') AS above FROM '${DATA}/orders/'
