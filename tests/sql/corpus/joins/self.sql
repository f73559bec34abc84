SELECT e.name, b.name AS boss FROM '${DATA}/employees/' e LEFT JOIN '${DATA}/employees/' b ON e.boss = b.id
