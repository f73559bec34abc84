SELECT (SELECT count(*) FROM '${DATA}/orders/') AS o, (SELECT count(*) FROM '${DATA}/customers/') AS c
