SELECT NULL AS word UNION ALL SELECT name FROM '${DATA}/departments/'
