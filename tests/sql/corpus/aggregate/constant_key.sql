SELECT 'all' AS what, count(*) AS n FROM '${DATA}/orders/' GROUP BY 'all'
