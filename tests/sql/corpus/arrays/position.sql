SELECT id, array_position(labels, 'b') AS b FROM '${DATA}/nested/'
