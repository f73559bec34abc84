SELECT id, ln(plain + 1) AS n, log10(plain + 1) AS t, log2(plain + 1) AS b FROM '${DATA}/numerics/'
