SELECT order_id, 'order ' || order_id || ': ' || status AS line FROM '${DATA}/orders/'
