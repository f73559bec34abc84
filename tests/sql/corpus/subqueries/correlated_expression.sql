SELECT d.id, (SELECT sum(e.salary) + 1 FROM '${DATA}/employees/' e WHERE e.department = d.id) AS cost FROM '${DATA}/departments/' d
