SELECT id, CAST(precise AS INTEGER) AS whole, CAST(real AS BIGINT) AS big FROM '${DATA}/numerics/'
