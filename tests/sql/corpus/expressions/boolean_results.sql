SELECT order_id, amount > 300 AS large, status = 'paid' AS paid, note IS NULL AS silent,
       quantity IN (1, 2) AS few, note LIKE '%g%' AS g
FROM '${DATA}/orders/'
