SELECT customer_id, profile ->> 'theme' AS theme, CAST(profile ->> 'level' AS INT) AS level
FROM '${DATA}/customers/'
