SELECT tiny AS n FROM '${DATA}/numerics/' UNION ALL SELECT big FROM '${DATA}/numerics/' UNION ALL SELECT precise FROM '${DATA}/numerics/'
