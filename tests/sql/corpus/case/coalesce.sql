SELECT order_id, coalesce(note, status, 'none') AS word, coalesce(customer_id, -1) AS customer
FROM '${DATA}/orders/'
