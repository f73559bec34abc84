-- duckdb: SELECT 'FF' AS h, 'BEEF' AS t
SELECT hex(255) AS h, upper(to_hex(48879)) AS t
