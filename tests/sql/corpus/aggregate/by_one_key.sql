SELECT status, count(*) AS orders, sum(amount) AS revenue FROM '${DATA}/orders/' GROUP BY status
