SELECT a, b, a AND b AS both, a OR b AS any_of, NOT a AS none
FROM (VALUES (true), (false), (CAST(NULL AS BOOLEAN))) AS x (a)
CROSS JOIN (VALUES (true), (false), (CAST(NULL AS BOOLEAN))) AS y (b)
