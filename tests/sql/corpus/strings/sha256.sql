SELECT id, sha256(text) AS s FROM '${DATA}/texts/' WHERE id < 10
