-- duckdb: SELECT count(*) AS n FROM orders WHERE order_id <> 3
-- not a header
/* a block; with a semicolon */
CREATE STREAM s AS SELECT order_id -- the key
FROM '${DATA}/orders/';
SELECT count(*) AS n FROM s WHERE order_id <> 3 /* not three */;
