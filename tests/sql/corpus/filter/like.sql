SELECT id, text FROM '${DATA}/texts/' WHERE text LIKE '%a_b%' OR text LIKE 'P%'
