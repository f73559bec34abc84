SELECT id, point.x, point.y AS y FROM '${DATA}/nested/'
