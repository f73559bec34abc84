-- duckdb: SELECT 'Two Words' AS a, 'École Éte' AS b
SELECT initcap('two words') AS a, initcap('ÉCOLE éte') AS b
