SELECT taken_at, humidity * 2 AS twice, humidity + 0.1e0 AS more FROM '${DATA}/readings/'
