SELECT order_id, row_number() OVER (PARTITION BY status ORDER BY order_id) AS a,
       row_number() OVER (PARTITION BY gift ORDER BY order_id) AS b
FROM '${DATA}/orders/'
