SELECT gift, count(DISTINCT product_id) AS products, sum(amount) AS total, count(*) AS n
FROM '${DATA}/orders/' GROUP BY gift
