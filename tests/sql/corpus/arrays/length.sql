-- duckdb: SELECT id, len(labels) AS l, len(scores) AS c FROM nested
SELECT id, array_length(labels) AS l, cardinality(scores) AS c FROM '${DATA}/nested/'
