-- duckdb: SELECT id, regexp_matches(text, '^[0-9-]+$') AS digits FROM texts
SELECT id, regexp_like(text, '^[0-9-]+$') AS digits FROM '${DATA}/texts/'
