SELECT whole AS number FROM '${DATA}/numerics/' UNION ALL SELECT exact FROM '${DATA}/numerics/'
