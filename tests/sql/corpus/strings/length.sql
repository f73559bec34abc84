-- duckdb: SELECT id, length(text) AS l, length(text) AS c, strlen(text) AS bytes FROM texts
SELECT id, length(text) AS l, char_length(text) AS c, octet_length(text) AS bytes
FROM '${DATA}/texts/'
