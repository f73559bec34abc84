WITH big AS (SELECT customer_id, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY customer_id),
     vip AS (SELECT customer_id, name FROM '${DATA}/customers/' WHERE vip)
SELECT v.name, b.total FROM big b JOIN vip v ON b.customer_id = v.customer_id
