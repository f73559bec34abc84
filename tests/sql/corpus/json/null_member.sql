SELECT id, doc ->> '$.address.city' IS NULL AS without_city FROM '${DATA}/nested/'
