SELECT product_id, order_id, category FROM '${DATA}/orders/' FULL JOIN '${DATA}/products/' USING (product_id)
