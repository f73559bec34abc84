SELECT alarm, min(level) AS low FROM '${DATA}/readings/' GROUP BY alarm
