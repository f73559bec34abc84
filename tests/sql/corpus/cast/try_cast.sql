SELECT id, TRY_CAST(text AS INTEGER) AS whole, TRY_CAST(text AS DOUBLE) AS number,
       TRY_CAST(text AS DATE) AS day
FROM '${DATA}/texts/' WHERE text NOT IN ('true')
