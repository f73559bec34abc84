SELECT id, reverse(text) AS r FROM '${DATA}/texts/' WHERE text NOT LIKE '%é%'
