-- ordered
SELECT order_id, amount * 2 AS twice FROM '${DATA}/orders/' ORDER BY twice, order_id LIMIT 9
