SELECT scores, count(*) AS n FROM '${DATA}/nested/' GROUP BY scores
