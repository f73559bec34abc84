SELECT CAST(sum(l_extendedprice) AS DOUBLE) / 7.0 AS avg_yearly
FROM '${TPCH}/lineitem/', '${TPCH}/part/'
WHERE p_partkey = l_partkey AND p_brand < 'Brand#30' AND p_container LIKE 'MED%'
  AND l_quantity < (SELECT 0.5 * avg(l_quantity) FROM '${TPCH}/lineitem/' WHERE l_partkey = p_partkey)
