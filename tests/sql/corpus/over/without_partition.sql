SELECT order_id, row_number() OVER (ORDER BY amount DESC, order_id) AS place FROM '${DATA}/orders/'
