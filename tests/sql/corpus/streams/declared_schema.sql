-- duckdb: SELECT category, sum(CAST(price AS DECIMAL(8, 2))) AS total FROM products GROUP BY category
CREATE STREAM goods (product_id BIGINT, name VARCHAR, category VARCHAR, price DECIMAL(8, 2), weight BIGINT, launched DATE)
FROM '${DATA}/products/';
SELECT category, sum(price) AS total FROM goods GROUP BY category;
