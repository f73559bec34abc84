SELECT id FROM '${DATA}/nested/' WHERE attributes['g'] > 2
