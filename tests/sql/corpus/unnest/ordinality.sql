-- duckdb: SELECT id, unnest(labels) AS label, generate_subscripts(labels, 1) AS place FROM nested
SELECT n.id, t.label, t.place
FROM '${DATA}/nested/' n CROSS JOIN UNNEST(n.labels) WITH ORDINALITY AS t (label, place)
