SELECT order_id, amount + 0.005 AS more, amount - discounted AS rest, amount * 1.19 AS gross,
       -amount AS negative, amount * quantity AS total
FROM (SELECT order_id, amount, quantity, CAST(amount AS DECIMAL(8, 2)) AS discounted
      FROM '${DATA}/orders/') t
