SELECT count(*) AS pairs, sum(a.quantity * b.quantity) AS weight FROM
  (SELECT 1 AS k, quantity FROM '${DATA}/orders/') a JOIN (SELECT 1 AS k, quantity FROM '${DATA}/orders/') b ON a.k = b.k
