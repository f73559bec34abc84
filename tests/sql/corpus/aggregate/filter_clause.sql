SELECT status, count(*) FILTER (WHERE gift) AS gifts, sum(amount) FILTER (WHERE quantity > 5) AS large
FROM '${DATA}/orders/' GROUP BY status
