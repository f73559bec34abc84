SELECT salary, count(*) AS n FROM '${DATA}/employees/' GROUP BY salary
