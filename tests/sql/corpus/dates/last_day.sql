SELECT id, last_day(day) AS last FROM '${DATA}/days/'
