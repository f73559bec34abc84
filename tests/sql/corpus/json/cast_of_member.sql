SELECT id, CAST(doc ->> 'id' AS INTEGER) + 1 AS next, CAST(doc ->> 'ok' AS BOOLEAN) AS ok
FROM '${DATA}/nested/'
