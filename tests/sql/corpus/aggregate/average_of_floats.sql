SELECT kind, avg(value) AS mean FROM '${DATA}/events/' GROUP BY kind
