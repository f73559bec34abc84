-- duckdb: SELECT id, whole // 7 AS quotient, small // -4 AS back, -7 // 2 AS half FROM numerics
SELECT id, whole / 7 AS quotient, small / -4 AS back, -7 / 2 AS half FROM '${DATA}/numerics/'
