SELECT id, split_part(text, ',', 2) AS second, split_part(text, '=', 1) AS head
FROM '${DATA}/texts/'
