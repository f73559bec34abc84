SELECT tag, count(*) AS customers, count(DISTINCT c.country) AS countries
FROM '${DATA}/customers/' c CROSS JOIN UNNEST(c.tags) AS t (tag) GROUP BY tag
