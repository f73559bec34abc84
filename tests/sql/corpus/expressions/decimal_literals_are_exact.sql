SELECT 0.1 + 0.2 = 0.3 AS equal, 1.10 * 3 AS product, 0.1 + 0.2 AS total
