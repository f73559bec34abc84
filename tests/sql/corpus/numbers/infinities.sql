SELECT precise, precise > 0 AS positive FROM '${DATA}/extremes/' WHERE id = 3
