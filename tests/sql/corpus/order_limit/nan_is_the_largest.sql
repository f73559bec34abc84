-- ordered
SELECT temperature FROM '${DATA}/readings/' WHERE temperature <> 0 ORDER BY temperature DESC LIMIT 40
