SELECT order_id, order_id AS again, order_id + 0 AS once_more FROM '${DATA}/orders/'
