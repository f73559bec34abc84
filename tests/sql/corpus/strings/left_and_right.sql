SELECT id, left(text, 3) AS l, right(text, 2) AS r FROM '${DATA}/texts/'
