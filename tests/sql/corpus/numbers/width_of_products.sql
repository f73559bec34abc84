SELECT id, CAST(whole AS BIGINT) * whole AS square FROM '${DATA}/numerics/'
