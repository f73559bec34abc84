SELECT country, n FROM (SELECT country, count(*) AS n FROM '${DATA}/customers/' GROUP BY country) t WHERE n > 5
