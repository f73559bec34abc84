SELECT pi() AS pi, round(pi() * 1000) AS thousands
