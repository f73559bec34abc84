SELECT order_id, rank() OVER (PARTITION BY status ORDER BY amount DESC) AS place FROM '${DATA}/orders/' QUALIFY place <= 2
