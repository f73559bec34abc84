SELECT id, labels[1] AS first, scores[2] AS second, labels[99] AS none FROM '${DATA}/nested/'
