SELECT number, word FROM (VALUES (1, 'one'), (2, 'two'), (3, NULL)) AS t (number, word)
