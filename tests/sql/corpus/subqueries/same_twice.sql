SELECT order_id FROM '${DATA}/orders/' WHERE amount > (SELECT avg(quantity) FROM '${DATA}/orders/') * 50
  AND quantity >= (SELECT avg(quantity) FROM '${DATA}/orders/')
