SELECT id, ntile(4) OVER (ORDER BY salary, id) AS quarter FROM '${DATA}/employees/'
