SELECT order_id, amount - lag(amount, 1, 0) OVER (ORDER BY order_id) AS step,
       CASE WHEN row_number() OVER (PARTITION BY status ORDER BY order_id) = 1 THEN 'first' ELSE 'later' END AS which
FROM '${DATA}/orders/'
