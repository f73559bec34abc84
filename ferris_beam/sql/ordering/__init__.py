"""ORDER BY, LIMIT and window functions over partitions."""
