SELECT status, gift, count(*) AS n FROM '${DATA}/orders/' GROUP BY status, gift
