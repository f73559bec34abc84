SELECT temperature, count(*) AS n FROM '${DATA}/readings/'
WHERE temperature > 39 OR temperature < -19 GROUP BY temperature
