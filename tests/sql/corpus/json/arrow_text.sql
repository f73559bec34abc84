SELECT id, doc ->> 'name' AS name, doc ->> '$.address.city' AS city FROM '${DATA}/nested/'
