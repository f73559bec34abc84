SELECT status AS word FROM '${DATA}/orders/' UNION ALL SELECT name FROM '${DATA}/departments/'
