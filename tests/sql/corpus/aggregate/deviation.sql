SELECT kind, stddev(value) AS s, stddev_pop(value) AS sp, var_samp(value) AS v, var_pop(value) AS vp
FROM '${DATA}/events/' GROUP BY kind
