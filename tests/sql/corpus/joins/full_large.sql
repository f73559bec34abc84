SELECT o.order_id, p.product_id FROM '${DATA}/orders/' o FULL OUTER JOIN '${DATA}/products/' p ON o.product_id = p.product_id
