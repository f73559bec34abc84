-- differs: upper_of_sharp_s
-- duckdb: SELECT id, replace(upper(text), 'ẞ', 'SS') AS u, lower(text) AS l FROM texts
SELECT id, upper(text) AS u, lower(text) AS l FROM '${DATA}/texts/'
