SELECT id, json_extract_string(doc, '$.list[4].deep[0]') AS deep FROM '${DATA}/nested/'
