SELECT DISTINCT point FROM '${DATA}/nested/'
