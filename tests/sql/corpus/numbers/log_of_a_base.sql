SELECT log(100.0e0) AS hundred, log(2, 8.0e0) AS three
