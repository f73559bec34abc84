SELECT id FROM '${DATA}/nested/' WHERE doc ->> '$.address.city' = 'Rio'
