SELECT discount, count(*) AS n FROM '${DATA}/orders/' GROUP BY discount
