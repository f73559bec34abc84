SELECT id, plain * 2 AS twice, plain % 10 AS last FROM '${DATA}/numerics/'
