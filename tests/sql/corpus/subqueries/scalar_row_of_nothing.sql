SELECT id, (SELECT amount FROM '${DATA}/empty/') AS none FROM '${DATA}/departments/'
