-- duckdb: SELECT 'low' AS class, count(*) AS n FROM orders WHERE amount < 200
--   UNION ALL SELECT 'high', count(*) FROM orders WHERE amount > 800
CREATE STREAM low AS SELECT order_id, 'low' AS class FROM '${DATA}/orders/' WHERE amount < 200;
CREATE STREAM high AS SELECT order_id, 'high' AS class FROM '${DATA}/orders/' WHERE amount > 800;
SELECT class, count(*) AS n FROM (SELECT * FROM low UNION ALL SELECT * FROM high) t GROUP BY class;
