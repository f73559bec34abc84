SELECT order_id AS id, amount total, quantity AS "How many?" FROM '${DATA}/orders/' AS o
