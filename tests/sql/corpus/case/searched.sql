SELECT order_id, CASE WHEN amount < 100 THEN 'small' WHEN amount < 500 THEN 'middle' ELSE 'large' END
       AS size
FROM '${DATA}/orders/'
