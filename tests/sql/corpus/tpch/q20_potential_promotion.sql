-- ordered
SELECT s_name, s_address
FROM '${TPCH}/supplier/', '${TPCH}/nation/'
WHERE s_suppkey IN (
    SELECT ps_suppkey FROM '${TPCH}/partsupp/'
    WHERE ps_partkey IN (SELECT p_partkey FROM '${TPCH}/part/' WHERE p_name LIKE '%green%')
      AND ps_availqty > (SELECT 0.5 * sum(l_quantity) FROM '${TPCH}/lineitem/'
                         WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey
                           AND l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1994-01-01' + INTERVAL '3' YEAR))
  AND s_nationkey = n_nationkey AND n_regionkey < 4
ORDER BY s_name
