SELECT 'it''s' AS a, 'back\slash' AS b, 'new
line' AS c, '' AS d
