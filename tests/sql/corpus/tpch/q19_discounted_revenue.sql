SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM '${TPCH}/lineitem/', '${TPCH}/part/'
WHERE (p_partkey = l_partkey AND p_brand < 'Brand#25' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
       AND l_quantity >= 1 AND l_quantity <= 11 AND p_size BETWEEN 1 AND 35 AND l_shipmode IN ('AIR', 'REG AIR'))
   OR (p_partkey = l_partkey AND p_brand < 'Brand#35' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')
       AND l_quantity >= 10 AND l_quantity <= 30 AND p_size BETWEEN 1 AND 40 AND l_shipmode IN ('AIR', 'REG AIR'))
   OR (p_partkey = l_partkey AND p_brand > 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')
       AND l_quantity >= 20 AND l_quantity <= 40 AND p_size BETWEEN 1 AND 45 AND l_shipmode IN ('AIR', 'REG AIR'))
