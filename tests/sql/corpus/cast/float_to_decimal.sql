SELECT id, CAST(precise AS DECIMAL(12, 3)) AS exact FROM '${DATA}/numerics/'
