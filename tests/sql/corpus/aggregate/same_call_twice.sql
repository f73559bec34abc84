SELECT sum(amount) AS a, sum(amount) AS b, sum(amount) + sum(amount) AS c FROM '${DATA}/orders/'
