SELECT id, unnest(line) AS number FROM (SELECT id, unnest(matrix) AS line FROM '${DATA}/nested/') t
