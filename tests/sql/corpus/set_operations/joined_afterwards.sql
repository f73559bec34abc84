SELECT t.id, d.name FROM (SELECT department AS id FROM '${DATA}/employees/' UNION SELECT 5) t
JOIN '${DATA}/departments/' d ON t.id = d.id
