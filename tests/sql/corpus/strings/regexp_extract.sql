SELECT id, regexp_extract(text, '([a-z]+)=([a-z]+)', 2) AS value FROM '${DATA}/texts/'
WHERE text LIKE '%=%'
