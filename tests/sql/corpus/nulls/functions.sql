-- differs: upper_of_sharp_s
-- duckdb: SELECT id, replace(upper(text), 'ẞ', 'SS') AS u, length(text) AS l, text || NULL AS none, replace(text, 'a', NULL) AS r
--   FROM texts
SELECT id, upper(text) AS u, length(text) AS l, text || NULL AS none, replace(text, 'a', NULL) AS r
FROM '${DATA}/texts/'
