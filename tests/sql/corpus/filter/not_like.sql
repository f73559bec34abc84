SELECT id, text FROM '${DATA}/texts/' WHERE text NOT LIKE '%e%'
