SELECT id, regexp_replace(text, '(\w+)@(\w+)', '\2 at \1') AS swapped FROM '${DATA}/texts/'
