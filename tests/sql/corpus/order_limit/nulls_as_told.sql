-- ordered
SELECT order_id, discount, gift FROM '${DATA}/orders/' ORDER BY discount NULLS FIRST, gift DESC NULLS LAST, order_id
