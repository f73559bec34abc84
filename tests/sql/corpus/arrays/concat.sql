-- duckdb: SELECT id, list_concat(labels, ['z']) AS more FROM nested WHERE labels IS NOT NULL
SELECT id, array_concat(labels, ['z']) AS more FROM '${DATA}/nested/' WHERE labels IS NOT NULL
