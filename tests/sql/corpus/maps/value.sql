SELECT id, attributes['r'] AS r, attributes['missing'] AS none FROM '${DATA}/nested/'
