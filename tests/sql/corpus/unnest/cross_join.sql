SELECT n.id, t.label FROM '${DATA}/nested/' n CROSS JOIN UNNEST(n.labels) AS t (label)
