SELECT id, CAST(exact AS INTEGER) AS whole FROM '${DATA}/numerics/'
