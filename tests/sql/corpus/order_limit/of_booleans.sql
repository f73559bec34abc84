-- ordered
SELECT order_id, gift FROM '${DATA}/orders/' ORDER BY gift, order_id LIMIT 300
