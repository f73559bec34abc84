SELECT id, labels[-1] AS last FROM '${DATA}/nested/'
