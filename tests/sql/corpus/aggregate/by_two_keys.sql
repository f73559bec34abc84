SELECT status, gift, sum(quantity) AS pieces FROM '${DATA}/orders/' GROUP BY status, gift
