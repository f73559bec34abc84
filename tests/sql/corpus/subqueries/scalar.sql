SELECT order_id, amount FROM '${DATA}/orders/' WHERE amount > (SELECT avg(CAST(amount AS DOUBLE)) FROM '${DATA}/orders/')
