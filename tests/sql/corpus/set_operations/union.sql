SELECT quantity FROM '${DATA}/orders/' UNION SELECT id FROM '${DATA}/departments/'
