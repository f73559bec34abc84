-- duckdb: SELECT order_id, amount FROM orders WHERE status = 'paid' AND gift
CREATE STREAM paid AS SELECT * FROM '${DATA}/orders/' WHERE status = 'paid';
SELECT order_id, amount FROM paid WHERE gift;
