SELECT id, matrix[2] AS second, matrix[2][1] AS item FROM '${DATA}/nested/'
