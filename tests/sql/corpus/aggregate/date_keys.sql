SELECT shipped_on, sum(quantity) AS pieces FROM '${DATA}/orders/' GROUP BY shipped_on
