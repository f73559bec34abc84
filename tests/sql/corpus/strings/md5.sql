SELECT id, md5(text) AS m FROM '${DATA}/texts/'
