-- duckdb: SELECT id, text FROM texts WHERE regexp_matches(text, '^[A-Z]') OR regexp_matches(text, 'x.*x')
SELECT id, text FROM '${DATA}/texts/' WHERE text ~ '^[A-Z]' OR text ~ 'x.*x'
