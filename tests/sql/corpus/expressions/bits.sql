SELECT id, whole & 255 AS low, whole | 1 AS odd, plain >> 3 AS shifted, tiny << 2 AS raised
FROM '${DATA}/numerics/' WHERE tiny >= 0
