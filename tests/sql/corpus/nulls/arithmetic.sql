SELECT id, tiny + small AS s, tiny * NULL AS none, -precise AS minus FROM '${DATA}/numerics/'
