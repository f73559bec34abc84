-- duckdb: SELECT c.customer_id FROM customers c SEMI JOIN orders o ON c.customer_id = o.customer_id AND o.gift
SELECT c.customer_id FROM '${DATA}/customers/' c LEFT SEMI JOIN '${DATA}/orders/' o ON c.customer_id = o.customer_id AND o.gift
