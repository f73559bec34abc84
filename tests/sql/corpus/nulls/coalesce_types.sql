SELECT id, coalesce(tiny, small, whole) AS some, coalesce(exact, 0) AS exact FROM '${DATA}/numerics/'
