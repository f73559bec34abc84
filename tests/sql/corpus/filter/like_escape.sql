SELECT id, text FROM '${DATA}/texts/' WHERE text LIKE '%!%%' ESCAPE '!' OR text LIKE 'a!_b' ESCAPE '!'
