SELECT id, year(day) AS y, month(day) AS m, day(day) AS d FROM '${DATA}/days/'
