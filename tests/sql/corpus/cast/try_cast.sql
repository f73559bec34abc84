-- differs: fraction_in_text
-- duckdb: SELECT id, CASE WHEN text NOT LIKE '%.%' THEN TRY_CAST(text AS INTEGER) END AS whole,
--   TRY_CAST(text AS DOUBLE) AS number, TRY_CAST(text AS DATE) AS day FROM texts WHERE text NOT IN ('true')
SELECT id, TRY_CAST(text AS INTEGER) AS whole, TRY_CAST(text AS DOUBLE) AS number,
       TRY_CAST(text AS DATE) AS day
FROM '${DATA}/texts/' WHERE text NOT IN ('true')
