SELECT id FROM '${DATA}/empty/' ORDER BY amount LIMIT 3
