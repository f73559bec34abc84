SELECT order_id, CASE status WHEN 'new' THEN 1 WHEN 'paid' THEN 2 ELSE 0 END AS step
FROM '${DATA}/orders/'
