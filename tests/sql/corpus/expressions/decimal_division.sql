-- differs: decimal_division
-- duckdb: SELECT order_id, round(amount / 8, 6) AS eighth, round(amount / 2.5, 6) AS part FROM orders
SELECT order_id, CAST(amount / 8 AS DOUBLE) AS eighth, CAST(amount / 2.5 AS DOUBLE) AS part
FROM '${DATA}/orders/'
