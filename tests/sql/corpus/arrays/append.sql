SELECT id, array_append(scores, 0.5e0) AS more FROM '${DATA}/nested/' WHERE scores IS NOT NULL
