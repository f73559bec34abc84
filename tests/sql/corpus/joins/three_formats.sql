SELECT o.order_id, c.name, p.name AS product FROM '${DATA}/orders/' o
JOIN '${DATA}/customers/' c ON o.customer_id = c.customer_id
JOIN '${DATA}/products/' p ON o.product_id = p.product_id
