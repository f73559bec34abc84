-- duckdb: SELECT id, len(list_distinct(scores)) AS different FROM nested
SELECT id, array_length(array_distinct(scores)) AS different FROM '${DATA}/nested/'
