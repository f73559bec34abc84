SELECT corr(whole, small) AS c, covar_pop(whole, small) AS p, covar_samp(whole, small) AS s
FROM '${DATA}/numerics/'
