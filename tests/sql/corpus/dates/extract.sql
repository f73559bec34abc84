SELECT id, extract(year FROM moment) AS y, extract(month FROM moment) AS m, extract(day FROM moment) AS d,
       extract(hour FROM moment) AS h, extract(minute FROM moment) AS n
FROM '${DATA}/days/'
