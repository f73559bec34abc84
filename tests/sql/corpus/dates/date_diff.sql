SELECT id, date_diff('day', DATE '2000-02-29', day) AS days, date_diff('month', DATE '2000-02-29', day) AS months,
       date_diff('year', DATE '2000-02-29', day) AS years
FROM '${DATA}/days/'
