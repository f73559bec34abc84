SELECT order_id, sum(quantity) OVER (PARTITION BY gift ORDER BY order_id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS ahead
FROM '${DATA}/orders/'
