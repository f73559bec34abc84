SELECT order_id, 'cheap' AS class FROM '${DATA}/orders/' WHERE amount < 300
UNION ALL SELECT order_id, 'dear' FROM '${DATA}/orders/' WHERE amount > 600
