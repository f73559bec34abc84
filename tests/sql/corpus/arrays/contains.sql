SELECT id, array_contains(labels, 'a') AS a FROM '${DATA}/nested/' WHERE labels IS NOT NULL
