-- duckdb: SELECT id, rtrim(base64(encode(text)), '=') AS b FROM texts WHERE id < 12
-- differs: base64_padding
SELECT id, encode(CAST(text AS BYTEA), 'base64') AS b FROM '${DATA}/texts/' WHERE id < 12
