SELECT id, substring(text, 2, 3) AS a, substr(text, 3) AS b, substring(text FROM 1 FOR 2) AS c
FROM '${DATA}/texts/'
