SELECT status, sum(amount * quantity) / count(*) > 500 AS rich, max(quantity) - min(quantity) AS span
FROM '${DATA}/orders/' GROUP BY status
