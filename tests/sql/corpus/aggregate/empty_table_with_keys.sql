SELECT name, count(*) AS n, sum(amount) AS s FROM '${DATA}/empty/' GROUP BY name
