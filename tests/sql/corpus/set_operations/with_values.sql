SELECT id, name FROM '${DATA}/departments/' UNION ALL VALUES (9, 'new')
