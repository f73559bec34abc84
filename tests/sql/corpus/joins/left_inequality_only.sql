SELECT d.id, e.id AS employee FROM '${DATA}/departments/' d LEFT JOIN '${DATA}/employees/' e ON e.salary > d.budget
