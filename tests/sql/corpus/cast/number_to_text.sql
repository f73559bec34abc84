SELECT id, CAST(whole AS VARCHAR) AS w, CAST(exact AS VARCHAR) AS e, CAST(tiny AS TEXT) AS t
FROM '${DATA}/numerics/'
