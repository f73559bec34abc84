-- ordered
SELECT DISTINCT quantity FROM '${DATA}/orders/' ORDER BY quantity LIMIT 3
