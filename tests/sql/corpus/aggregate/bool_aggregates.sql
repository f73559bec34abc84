SELECT country, bool_and(vip) AS every, bool_or(vip) AS any_of FROM '${DATA}/customers/' GROUP BY country
