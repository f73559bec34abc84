SELECT order_id, nullif(status, 'new') AS status, nullif(quantity, 3) AS quantity
FROM '${DATA}/orders/'
