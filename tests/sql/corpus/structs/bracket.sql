SELECT id, point['x'] AS x FROM '${DATA}/nested/'
