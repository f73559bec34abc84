SELECT order_id, CAST(amount AS DOUBLE) / sum(CAST(amount AS DOUBLE)) OVER (PARTITION BY status) AS share
FROM '${DATA}/orders/'
