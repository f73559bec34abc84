SELECT c.name, t.n, t.total FROM '${DATA}/customers/' c JOIN
  (SELECT customer_id, count(*) AS n, sum(amount) AS total FROM '${DATA}/orders/' GROUP BY customer_id) t
  ON c.customer_id = t.customer_id
