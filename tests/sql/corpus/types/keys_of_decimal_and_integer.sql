SELECT e.id, d.name FROM '${DATA}/employees/' e JOIN '${DATA}/departments/' d
  ON e.salary = CAST(d.id * 1000 + 2000 AS DECIMAL(12, 2))
