SELECT id, cardinality(attributes) AS entries FROM '${DATA}/nested/' WHERE attributes IS NOT NULL
