SELECT id FROM '${DATA}/numerics/' WHERE tiny > precise OR exact < real OR small = tiny
