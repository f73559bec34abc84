SELECT id, position('a' IN text) AS p, strpos(text, 'e') AS s, instr(text, ',') AS i
FROM '${DATA}/texts/'
