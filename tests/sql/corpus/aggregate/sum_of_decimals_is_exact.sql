SELECT gift, sum(amount) AS total, sum(amount * 0.0001) AS small FROM '${DATA}/orders/' GROUP BY gift
