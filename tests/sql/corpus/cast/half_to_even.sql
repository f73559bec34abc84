SELECT CAST(x AS INTEGER) AS whole
FROM (VALUES (0.5e0), (1.5e0), (2.5e0), (-0.5e0), (-1.5e0), (2.4999e0)) AS t (x)
