SELECT id, extract(week FROM day) AS week, extract(isodow FROM day) AS weekday FROM '${DATA}/days/'
