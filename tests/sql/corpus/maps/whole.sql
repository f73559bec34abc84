SELECT id, attributes FROM '${DATA}/nested/'
