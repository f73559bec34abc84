WITH a AS (SELECT order_id, amount * 2 AS twice FROM '${DATA}/orders/'), b AS (SELECT *, twice + 1 AS more FROM a)
SELECT order_id, more FROM b WHERE more > 1000
