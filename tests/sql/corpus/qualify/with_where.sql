SELECT order_id, amount FROM '${DATA}/orders/' WHERE gift
QUALIFY amount > avg(CAST(amount AS DOUBLE)) OVER (PARTITION BY status)
