SELECT id, labels, scores, matrix, items FROM '${DATA}/nested/'
