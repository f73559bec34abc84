-- ordered
SELECT status, order_id FROM '${DATA}/orders/' ORDER BY 1, 2 DESC
