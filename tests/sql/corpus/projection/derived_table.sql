SELECT id, doubled + 1 AS more
FROM (SELECT order_id AS id, quantity * 2 AS doubled FROM '${DATA}/orders/') AS t
WHERE doubled > 10
