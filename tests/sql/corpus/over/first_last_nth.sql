SELECT id, first_value(name) OVER w AS first, last_value(name) OVER w AS last, nth_value(name, 2) OVER w AS second
FROM '${DATA}/employees/' WINDOW w AS (PARTITION BY department ORDER BY salary, id
  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
