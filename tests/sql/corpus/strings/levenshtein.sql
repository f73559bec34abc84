SELECT id, levenshtein(text, 'plain') AS distance FROM '${DATA}/texts/' WHERE id BETWEEN 4 AND 9
