SELECT order_id, row_number() OVER (PARTITION BY status ORDER BY amount, order_id) AS up,
       row_number() OVER (PARTITION BY status ORDER BY amount DESC, order_id) AS down
FROM '${DATA}/orders/'
