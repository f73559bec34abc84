SELECT id, percent_rank() OVER (ORDER BY salary) AS p, cume_dist() OVER (ORDER BY salary) AS c FROM '${DATA}/employees/'
