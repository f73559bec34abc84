SELECT sensor, taken_at FROM '${DATA}/readings/' WHERE temperature = CAST('NaN' AS DOUBLE)
