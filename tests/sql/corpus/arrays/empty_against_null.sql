-- duckdb: SELECT id, labels IS NULL AS missing, len(labels) = 0 AS empty FROM nested
SELECT id, labels IS NULL AS missing, array_length(labels) = 0 AS empty FROM '${DATA}/nested/'
