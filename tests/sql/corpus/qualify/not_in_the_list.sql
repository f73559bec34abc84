SELECT name FROM '${DATA}/employees/' QUALIFY row_number() OVER (PARTITION BY department ORDER BY hired, id) <= 2
