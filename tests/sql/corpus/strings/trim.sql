SELECT id, trim(text) AS t, ltrim(text) AS l, rtrim(text) AS r, trim(BOTH 'p ' FROM text) AS b
FROM '${DATA}/texts/'
