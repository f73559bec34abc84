SELECT id, whole + small AS plus, whole - big AS minus, small * tiny AS times, -whole AS negative,
       +small AS same
FROM '${DATA}/numerics/'
