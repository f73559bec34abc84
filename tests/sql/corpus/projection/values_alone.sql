-- duckdb: SELECT col0 AS column1, col1 AS column2 FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL))
VALUES (1, 'a'), (2, 'b'), (3, NULL)
