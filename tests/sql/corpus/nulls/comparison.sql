SELECT id, tiny = small AS equal, tiny <> NULL AS none, tiny IS NULL AS missing FROM '${DATA}/numerics/'
