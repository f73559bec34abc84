-- duckdb: SELECT 7 AS seven, quantity = 3 AS three FROM orders WHERE order_id < 30
SELECT CAST('3' AS INTEGER) + 4 AS seven, quantity = '3' AS three
FROM '${DATA}/orders/' WHERE order_id < 30
