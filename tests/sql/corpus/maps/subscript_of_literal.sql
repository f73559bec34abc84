-- duckdb: SELECT order_id, quantity AS q, product_id + 1 AS p, [quantity, 7][2] AS seven FROM orders
SELECT order_id, MAP {'q': quantity}['q'] AS q, MAP {'s': {'p': product_id + 1}}['s'].p AS p,
  MAP {1: [quantity, 7]}[1][2] AS seven
FROM '${DATA}/orders/'
