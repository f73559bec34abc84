SELECT id, map_keys(attributes) AS keys, map_values(attributes) AS entries FROM '${DATA}/nested/'
