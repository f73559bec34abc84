SELECT e.id, d.name FROM '${DATA}/employees/' e RIGHT JOIN '${DATA}/departments/' d
  ON e.department = d.id AND e.salary > 5000
