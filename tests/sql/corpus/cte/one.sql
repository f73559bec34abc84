WITH paid AS (SELECT * FROM '${DATA}/orders/' WHERE status = 'paid') SELECT order_id, amount FROM paid WHERE gift
