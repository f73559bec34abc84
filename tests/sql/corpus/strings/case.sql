SELECT id, upper(text) AS u, lower(text) AS l FROM '${DATA}/texts/'
