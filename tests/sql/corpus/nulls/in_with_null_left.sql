SELECT order_id, customer_id IN (1, 2, 3) AS listed FROM '${DATA}/orders/'
