SELECT CAST('NaN' AS DOUBLE) AS nan, CAST('Infinity' AS DOUBLE) AS most, CAST('-inf' AS DOUBLE) AS least
