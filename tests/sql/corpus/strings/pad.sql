SELECT id, lpad(text, 6, '*') AS l, rpad(text, 6, '.-') AS r FROM '${DATA}/texts/'
