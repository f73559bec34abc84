SELECT count(*) AS n, abs(temperature) AS t FROM '${DATA}/readings/'
WHERE temperature = 0 GROUP BY temperature
