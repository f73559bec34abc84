-- duckdb: SELECT 7 AS seven, quantity = 3 AS three FROM orders WHERE order_id < 30
SELECT '3' + 4 AS seven, quantity = '3' AS three FROM '${DATA}/orders/' WHERE order_id < 30
