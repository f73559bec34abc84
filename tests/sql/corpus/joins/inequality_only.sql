SELECT e.id, d.id AS department FROM '${DATA}/employees/' e JOIN '${DATA}/departments/' d ON e.salary < d.budget AND e.id > d.id
