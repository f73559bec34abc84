SELECT order_id, rank() OVER (PARTITION BY status ORDER BY quantity) AS r,
       dense_rank() OVER (PARTITION BY status ORDER BY quantity) AS d
FROM '${DATA}/orders/'
