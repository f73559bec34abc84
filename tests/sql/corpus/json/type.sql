SELECT id, lower(json_type(doc, '$.address')) AS address, lower(json_type(doc, '$.name')) AS name
FROM '${DATA}/nested/'
