SELECT id, json_array_length(doc, '$.list') AS items FROM '${DATA}/nested/'
