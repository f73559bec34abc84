SELECT id, gcd(whole, 60) AS g, lcm(tiny, 4) AS l FROM '${DATA}/numerics/'
