SELECT a.country, a.n, b.total FROM
  (SELECT country, count(*) AS n FROM '${DATA}/customers/' GROUP BY country) a
  FULL JOIN (SELECT c.country, sum(o.amount) AS total FROM '${DATA}/orders/' o
             JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id GROUP BY c.country) b
  ON a.country = b.country
