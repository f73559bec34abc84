SELECT customer_id FROM '${DATA}/customers/' EXCEPT SELECT customer_id FROM '${DATA}/orders/'
