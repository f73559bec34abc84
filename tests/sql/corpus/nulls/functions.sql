SELECT id, upper(text) AS u, length(text) AS l, text || NULL AS none, replace(text, 'a', NULL) AS r
FROM '${DATA}/texts/'
