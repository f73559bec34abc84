SELECT status, sum(DISTINCT quantity) AS q FROM '${DATA}/orders/' GROUP BY status
