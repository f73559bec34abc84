SELECT status, bool_and(gift) AS every, bool_or(gift) AS any_of FROM '${DATA}/orders/' GROUP BY status
