SELECT id, CAST(moment AS DATE) AS day, CAST(day AS TIMESTAMP) AS midnight FROM '${DATA}/days/'
