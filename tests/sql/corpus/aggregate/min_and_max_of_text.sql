SELECT country, min(name) AS first, max(name) AS last FROM '${DATA}/customers/' GROUP BY country
