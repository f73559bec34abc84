SELECT order_id, CASE WHEN customer_id IN (SELECT customer_id FROM '${DATA}/customers/' WHERE vip) THEN 'vip' ELSE 'other' END AS rank
FROM '${DATA}/orders/' WHERE customer_id IS NOT NULL
