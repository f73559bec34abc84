SELECT id, date_part('year', day) AS y, date_part('month', moment) AS m FROM '${DATA}/days/'
