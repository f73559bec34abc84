SELECT id FROM '${DATA}/empty/' WHERE amount > 3 OR name LIKE 'a%'
