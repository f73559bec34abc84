SELECT e.id, d.name FROM '${DATA}/employees/' e FULL JOIN '${DATA}/departments/' d
  ON e.department = d.id AND e.salary > 5000
