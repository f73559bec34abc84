-- duckdb: SELECT order_id, {'amount': amount, 'count': quantity} AS both FROM orders
SELECT order_id, struct(amount AS amount, quantity AS count) AS both FROM '${DATA}/orders/'
