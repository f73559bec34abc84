SELECT sensor, temperature FROM '${DATA}/readings/' WHERE temperature > 39
