-- ordered
SELECT name FROM '${DATA}/employees/' ORDER BY salary DESC, id LIMIT 6
