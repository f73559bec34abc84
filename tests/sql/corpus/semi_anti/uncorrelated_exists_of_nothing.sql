SELECT id FROM '${DATA}/departments/' WHERE EXISTS (SELECT 1 FROM '${DATA}/empty/')
