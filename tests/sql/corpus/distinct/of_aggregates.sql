SELECT DISTINCT count(*) AS n FROM '${DATA}/orders/' GROUP BY customer_id
