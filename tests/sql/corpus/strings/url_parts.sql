SELECT DISTINCT url, split_part(url, '/', 3) AS host, regexp_replace(url, '^[a-z]+://', '') AS rest
FROM '${DATA}/events/'
