SELECT count(*) AS n, sum(amount) AS s, avg(id) AS a, min(name) AS m, max(seen_at) AS x
FROM '${DATA}/empty/'
