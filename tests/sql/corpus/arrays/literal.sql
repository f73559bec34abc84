SELECT [1, 2, 3] AS numbers, ['a', NULL] AS words
