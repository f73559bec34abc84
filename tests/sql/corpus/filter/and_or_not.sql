SELECT order_id FROM '${DATA}/orders/'
WHERE (status = 'new' OR gift) AND NOT (quantity < 3 OR customer_id > 40)
