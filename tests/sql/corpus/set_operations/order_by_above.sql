-- ordered
SELECT name FROM '${DATA}/departments/' UNION ALL SELECT category FROM '${DATA}/products/' ORDER BY name LIMIT 9
