SELECT id, date_trunc('month', moment) AS m, date_trunc('year', moment) AS y,
       date_trunc('quarter', moment) AS q, date_trunc('week', moment) AS w
FROM '${DATA}/days/'
