SELECT id, tiny IS DISTINCT FROM small AS different FROM '${DATA}/numerics/'
