SELECT n.id, t.score FROM '${DATA}/nested/' n, UNNEST(n.scores) AS t (score) WHERE t.score > 3
