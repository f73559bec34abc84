SELECT sum(attributes['r']) AS r, count(attributes['b']) AS b FROM '${DATA}/nested/'
