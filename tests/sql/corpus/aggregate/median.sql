SELECT kind, median(value) AS m FROM '${DATA}/events/' GROUP BY kind
