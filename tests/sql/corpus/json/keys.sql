SELECT id, json_keys(doc) AS keys FROM '${DATA}/nested/'
