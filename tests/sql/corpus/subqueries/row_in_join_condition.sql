SELECT o.order_id, p.name FROM '${DATA}/orders/' o JOIN '${DATA}/products/' p ON o.product_id = p.product_id
WHERE p.price = (SELECT max(price) FROM '${DATA}/products/')
