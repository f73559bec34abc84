SELECT o.order_id FROM '${DATA}/orders/' o ANTI JOIN '${DATA}/products/' p ON o.product_id = p.product_id AND p.price < o.amount
