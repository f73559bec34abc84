SELECT status, count(*) AS n, sum(count(*)) OVER () AS every FROM '${DATA}/orders/' GROUP BY status
