SELECT id, text FROM '${DATA}/texts/' WHERE text ILIKE 'pl%' OR text ILIKE '%MIXED%'
