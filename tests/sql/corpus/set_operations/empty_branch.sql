SELECT id, name FROM '${DATA}/empty/' UNION ALL SELECT id, name FROM '${DATA}/departments/'
