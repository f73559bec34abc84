SELECT n.id, t.label FROM '${DATA}/nested/' n LEFT JOIN UNNEST(n.labels) AS t (label) ON true
