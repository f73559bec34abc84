SELECT count(word) AS n, sum(number) AS s, avg(number) AS a, min(word) AS m, max(moment) AS x
FROM '${DATA}/hollow/'
