-- duckdb: SELECT c.name, b.total FROM (SELECT customer_id, sum(amount) AS total FROM orders WHERE amount > 50
--   GROUP BY customer_id) b JOIN customers c ON b.customer_id = c.customer_id WHERE b.total > 1000
CREATE STREAM a AS SELECT order_id, customer_id, amount FROM '${DATA}/orders/' WHERE amount > 50;
CREATE STREAM b AS SELECT customer_id, sum(amount) AS total FROM a GROUP BY customer_id;
SELECT c.name, b.total FROM b JOIN '${DATA}/customers/' c ON b.customer_id = c.customer_id WHERE b.total > 1000;
