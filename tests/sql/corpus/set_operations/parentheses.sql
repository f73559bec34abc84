(SELECT id FROM '${DATA}/departments/' WHERE id < 4) UNION ALL (SELECT id FROM '${DATA}/employees/' ORDER BY id LIMIT 2)
