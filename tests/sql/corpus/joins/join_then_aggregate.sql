SELECT c.country, p.category, count(*) AS n, sum(o.amount) AS total FROM '${DATA}/orders/' o
JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id
JOIN '${DATA}/products/' p ON o.product_id = p.product_id
GROUP BY c.country, p.category
