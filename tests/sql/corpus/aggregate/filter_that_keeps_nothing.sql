SELECT status, sum(amount) FILTER (WHERE quantity > 99) AS none, count(*) FILTER (WHERE false) AS zero
FROM '${DATA}/orders/' GROUP BY status
