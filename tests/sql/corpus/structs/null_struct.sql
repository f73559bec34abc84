SELECT id, point IS NULL AS missing, point.y IS NULL AS without_y FROM '${DATA}/nested/'
