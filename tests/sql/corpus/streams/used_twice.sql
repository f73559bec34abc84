-- duckdb: WITH s AS (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id)
--   SELECT a.customer_id, b.customer_id AS other FROM s a JOIN s b ON a.n = b.n AND a.customer_id < b.customer_id
CREATE STREAM s AS SELECT customer_id, count(*) AS n FROM '${DATA}/orders/' GROUP BY customer_id;
SELECT a.customer_id, b.customer_id AS other FROM s a JOIN s b ON a.n = b.n AND a.customer_id < b.customer_id;
