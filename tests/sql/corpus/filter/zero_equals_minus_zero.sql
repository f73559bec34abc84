SELECT taken_at, temperature FROM '${DATA}/readings/' WHERE temperature = 0
