SELECT o.order_id, c.name, p.name AS product, r.name AS referrer FROM '${DATA}/orders/' o
LEFT JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id
JOIN '${DATA}/products/' p ON o.product_id = p.product_id
LEFT JOIN '${DATA}/customers/' r ON c.referrer = r.customer_id
