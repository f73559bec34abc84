-- duckdb: SELECT * EXCLUDE (weight) REPLACE (round(price) AS price) FROM products
SELECT * EXCEPT (weight) REPLACE (round(price) AS price) FROM '${DATA}/products/'
