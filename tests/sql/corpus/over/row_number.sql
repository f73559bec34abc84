SELECT order_id, row_number() OVER (PARTITION BY status ORDER BY amount, order_id) AS place FROM '${DATA}/orders/'
