-- differs: average_of_decimals
-- duckdb: SELECT status, round(avg(amount), 6) AS mean FROM orders GROUP BY status
SELECT status, CAST(avg(amount) AS DOUBLE) AS mean FROM '${DATA}/orders/' GROUP BY status
