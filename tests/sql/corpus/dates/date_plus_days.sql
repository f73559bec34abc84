SELECT id, day + 7 AS week, day - 1 AS yesterday FROM '${DATA}/days/'
