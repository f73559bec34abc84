SELECT a.order_id FROM '${DATA}/orders/' a
WHERE EXISTS (SELECT 1 FROM '${DATA}/orders/' b WHERE b.customer_id = a.customer_id AND b.order_id <> a.order_id AND b.amount > a.amount)
