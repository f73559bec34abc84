SELECT tiny > 0 AS positive, bit_and(plain) AS a, bit_or(plain) AS o, bit_xor(plain) AS x
FROM '${DATA}/numerics/' GROUP BY tiny > 0
