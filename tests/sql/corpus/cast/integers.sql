SELECT id, CAST(whole AS BIGINT) AS b, CAST(tiny AS SMALLINT) AS s, CAST(small AS DOUBLE) AS d,
       CAST(plain AS BIGINT) AS p
FROM '${DATA}/numerics/'
