SELECT id, starts_with(text, 'p') AS s, ends_with(text, 's') AS e, contains(text, 'a') AS c
FROM '${DATA}/texts/'
