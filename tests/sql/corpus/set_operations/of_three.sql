SELECT id FROM '${DATA}/departments/' UNION ALL SELECT id FROM '${DATA}/employees/' UNION ALL SELECT id FROM '${DATA}/nested/'
