SELECT id, (SELECT max(amount) FROM '${DATA}/empty/') AS none FROM '${DATA}/departments/'
