SELECT id, translate(text, 'abc', 'xy') AS t FROM '${DATA}/texts/'
