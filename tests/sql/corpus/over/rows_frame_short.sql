SELECT order_id, max(amount) OVER (PARTITION BY customer_id ORDER BY order_id ROWS 2 PRECEDING) AS most FROM '${DATA}/orders/'
