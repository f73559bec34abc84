-- duckdb: SELECT id, CASE WHEN doc IS NOT NULL THEN 'object' END AS address,
--   CASE WHEN doc IS NOT NULL THEN 'string' END AS name FROM nested
SELECT id, lower(json_type(doc, '$.address')) AS address, lower(json_type(doc, '$.name')) AS name
FROM '${DATA}/nested/'
