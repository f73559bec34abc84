SELECT name FROM '${DATA}/products/' WHERE product_id IN (SELECT product_id FROM '${DATA}/orders/'
  WHERE customer_id IN (SELECT customer_id FROM '${DATA}/customers/' WHERE country = 'AT'))
