SELECT word, number, count(*) AS n FROM '${DATA}/hollow/' GROUP BY word, number
