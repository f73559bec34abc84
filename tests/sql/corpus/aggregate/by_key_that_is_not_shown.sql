SELECT count(*) AS n FROM '${DATA}/orders/' GROUP BY status
