SELECT order_id, sum(quantity) OVER (PARTITION BY status ORDER BY quantity) AS with_peers FROM '${DATA}/orders/'
