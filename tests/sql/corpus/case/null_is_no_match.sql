SELECT order_id, CASE gift WHEN NULL THEN 'never' WHEN true THEN 'yes' ELSE 'other' END AS answer
FROM '${DATA}/orders/'
