SELECT id, big - 1 AS b, whole + 0 AS w, plain - 7 AS p FROM '${DATA}/extremes/' WHERE id > 1
