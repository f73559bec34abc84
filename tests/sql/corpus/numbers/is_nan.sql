SELECT taken_at, isnan(temperature) AS nan, temperature FROM '${DATA}/readings/'
