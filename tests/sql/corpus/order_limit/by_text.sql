-- ordered
SELECT text FROM '${DATA}/texts/' ORDER BY text
