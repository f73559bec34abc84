SELECT id, CAST(date_trunc('month', day) AS DATE) AS m FROM '${DATA}/days/'
