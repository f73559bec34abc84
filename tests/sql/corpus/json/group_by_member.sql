SELECT profile ->> 'theme' AS theme, count(*) AS customers
FROM '${DATA}/customers/' GROUP BY profile ->> 'theme'
