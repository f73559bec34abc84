SELECT n.id, t.score FROM '${DATA}/nested/' n CROSS JOIN UNNEST(n.scores) AS t (score)
WHERE n.id % 2 = 0 AND t.score < n.id
