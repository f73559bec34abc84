SELECT id, array_to_string(labels, '+') AS joined FROM '${DATA}/nested/' WHERE labels IS NOT NULL
