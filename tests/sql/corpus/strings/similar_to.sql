SELECT id, text FROM '${DATA}/texts/' WHERE text SIMILAR TO '(p|P)lain'
