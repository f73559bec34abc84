SELECT upper(status) AS word, count(*) AS n FROM '${DATA}/orders/' GROUP BY word
