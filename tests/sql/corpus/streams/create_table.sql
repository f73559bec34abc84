-- duckdb: SELECT o.order_id, v.name FROM orders o JOIN customers v ON o.customer_id = v.customer_id WHERE v.vip
CREATE TABLE vip AS SELECT customer_id, name FROM '${DATA}/customers/' WHERE vip;
SELECT o.order_id, v.name FROM '${DATA}/orders/' o JOIN vip v ON o.customer_id = v.customer_id;
