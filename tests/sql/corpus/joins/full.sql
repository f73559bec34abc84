SELECT e.id, d.id AS department FROM '${DATA}/employees/' e FULL JOIN '${DATA}/departments/' d ON e.department = d.id
