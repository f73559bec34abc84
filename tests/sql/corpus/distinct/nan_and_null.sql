SELECT DISTINCT temperature FROM '${DATA}/readings/' WHERE temperature IS NULL OR temperature > 39
