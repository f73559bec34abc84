SELECT id, repeat(text, 3) AS r, repeat('-', 0) AS none FROM '${DATA}/texts/'
