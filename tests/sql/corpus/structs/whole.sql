SELECT id, point FROM '${DATA}/nested/'
