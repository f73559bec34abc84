SELECT order_id, sum(discount) OVER (PARTITION BY status ORDER BY order_id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS near
FROM '${DATA}/orders/'
