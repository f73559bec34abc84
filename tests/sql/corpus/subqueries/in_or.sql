SELECT order_id FROM '${DATA}/orders/'
WHERE gift OR product_id IN (SELECT product_id FROM '${DATA}/products/' WHERE category = 'lab')
