-- duckdb: SELECT id, CASE WHEN tiny <> 0 THEN whole // tiny ELSE 0 END AS ratio FROM numerics
SELECT id, CASE WHEN tiny <> 0 THEN whole / tiny ELSE 0 END AS ratio FROM '${DATA}/numerics/'
