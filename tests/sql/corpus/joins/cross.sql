SELECT d.name, p.product_id FROM '${DATA}/departments/' d CROSS JOIN '${DATA}/products/' p
