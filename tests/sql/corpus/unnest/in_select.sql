SELECT id, unnest(labels) AS label FROM '${DATA}/nested/'
