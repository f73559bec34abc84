-- duckdb: SELECT id, whole / 7.0e0 AS quotient, precise / 4 AS quarter, CAST(real AS DOUBLE) / 3 AS third
--   FROM numerics
-- differs: real_with_whole_number
SELECT id, whole / 7.0e0 AS quotient, precise / 4 AS quarter, real / 3 AS third
FROM '${DATA}/numerics/'
