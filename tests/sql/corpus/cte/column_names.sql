WITH t (id, worth) AS (SELECT order_id, amount FROM '${DATA}/orders/') SELECT id FROM t WHERE worth < 100
