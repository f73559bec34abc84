SELECT 1 + 2 AS three, 'a' || 'b' AS ab
