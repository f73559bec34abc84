-- duckdb: SELECT status, count(*) AS n FROM orders GROUP BY status
CREATE STREAM totals AS SELECT status, count(*) AS n FROM '${DATA}/orders/' GROUP BY status;
