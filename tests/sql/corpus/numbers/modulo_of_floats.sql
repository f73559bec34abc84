SELECT id, precise % 2.5e0 AS rest FROM '${DATA}/numerics/'
