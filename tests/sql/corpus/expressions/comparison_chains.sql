SELECT id, whole > 0 AS positive, (whole > 0) = (small > 0) AS together, tiny <> 0 AS some
FROM '${DATA}/numerics/'
