SELECT status || '!' AS loud, count(*) + 1 AS n FROM '${DATA}/orders/' GROUP BY status
