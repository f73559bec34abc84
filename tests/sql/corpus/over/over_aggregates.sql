SELECT status, sum(amount) AS total, rank() OVER (ORDER BY sum(amount) DESC) AS place FROM '${DATA}/orders/' GROUP BY status
