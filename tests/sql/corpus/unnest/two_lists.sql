SELECT n.id, a.label, b.score
FROM '${DATA}/nested/' n CROSS JOIN UNNEST(n.labels) AS a (label) CROSS JOIN UNNEST(n.scores) AS b (score)
WHERE n.id < 20
