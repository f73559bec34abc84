-- differs: limit_takes_files_in_order
-- duckdb: SELECT order_id FROM orders ORDER BY order_id LIMIT 5
SELECT order_id FROM '${DATA}/orders/' LIMIT 5
