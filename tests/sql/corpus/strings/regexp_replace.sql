SELECT id, regexp_replace(text, '[aeiou]+', '#', 'g') AS every, regexp_replace(text, '[aeiou]', '#') AS first
FROM '${DATA}/texts/'
