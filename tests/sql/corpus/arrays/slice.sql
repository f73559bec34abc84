SELECT id, scores[2:3] AS part FROM '${DATA}/nested/'
