SELECT status, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY status
HAVING sum(amount) > (SELECT sum(amount) / 6 FROM '${DATA}/orders/')
