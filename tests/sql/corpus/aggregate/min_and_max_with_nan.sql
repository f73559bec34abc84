SELECT sensor, min(temperature) AS low, max(temperature) AS high FROM '${DATA}/readings/' GROUP BY sensor
