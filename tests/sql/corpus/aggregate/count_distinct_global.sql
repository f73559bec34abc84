SELECT count(DISTINCT status) AS s, count(DISTINCT note) AS n FROM '${DATA}/orders/'
