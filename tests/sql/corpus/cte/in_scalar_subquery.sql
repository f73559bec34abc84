WITH m AS (SELECT max(amount) AS most FROM '${DATA}/orders/') SELECT order_id FROM '${DATA}/orders/' WHERE amount = (SELECT most FROM m)
