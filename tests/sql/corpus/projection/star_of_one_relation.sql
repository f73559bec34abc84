SELECT d.*, e.name AS employee
FROM '${DATA}/employees/' e JOIN '${DATA}/departments/' d ON e.department = d.id
