SELECT order_id, sum(amount) OVER (PARTITION BY status ORDER BY order_id) AS so_far FROM '${DATA}/orders/'
