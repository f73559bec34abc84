SELECT name FROM '${DATA}/departments/' UNION ALL SELECT name FROM '${DATA}/employees/'
