SELECT id, day < DATE '1970-01-01' AS old, moment >= day AS same_day, greatest(day, DATE '2000-01-01') AS late
FROM '${DATA}/days/'
