SELECT id, greatest(tiny, small, 5) AS most, least(whole, big) AS fewest FROM '${DATA}/numerics/'
