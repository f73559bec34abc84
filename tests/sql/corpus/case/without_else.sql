SELECT order_id, CASE WHEN gift THEN note END AS note FROM '${DATA}/orders/'
